import { number, t } from "./text";
import type { ImportColumn, ImportPreview } from "./types";

/** The field that the reader has chosen for a column, by the name of the column. */
export type Choices = Record<string, string>;

const FIELDS = ["firstName", "lastName", "name", "title", "email", "phone", "location", "linkedinUrl", "company.name", "company.industry", "company.website", "company.linkedinUrl", "headline", "about", "providerId"];

/** The preview may name the fields of a company in another spelling than a person has them. */
const nameOfField = (field: string) => t.fields[field] ?? t.fields[field.replace(/^company([A-Z])/, (_, first: string) => `company.${first.toLowerCase()}`)] ?? field;

/** Returns the mapping that the service expects. A chosen column comes first; the columns that it had found for the same
 * field follow, so that their values still fill the gaps. */
export function mappingOf(preview: ImportPreview | null, choices: Choices): Record<string, string[]> | null {
  const fields = new Set(Object.values(choices));
  if (!fields.size) return null;
  return Object.fromEntries([...fields].map((field) => {
    const chosen = Object.keys(choices).filter((column) => choices[column] === field);
    const found = (preview?.columns ?? []).filter((column) => column.field === field && !(column.name in choices)).map((column) => column.name);
    return [field, [...chosen, ...found]];
  }));
}

export function ImportColumns({ preview, choices, busy, onChange }: { preview: ImportPreview; choices: Choices; busy: boolean; onChange: (choices: Choices) => void }) {
  const { estimate } = preview;
  const choose = (column: ImportColumn, field: string) => {
    const { [column.name]: _, ...rest } = choices;
    onChange(field ? { ...rest, [column.name]: field } : rest);
  };
  return (
    <div aria-busy={busy}>
      <section class="estimate" aria-label={t.import.estimate}>
        <p><strong>{number(estimate.created)}</strong> {t.import.newPeople(estimate.created)} · <strong>{number(estimate.matched)}</strong> {t.import.known} · <strong>{number(estimate.rejected)}</strong> {t.import.rejectedRows(estimate.rejected)}</p>
        {Object.entries(estimate.notes).length > 0 && <p class="faint">{Object.entries(estimate.notes).map(([code, count]) => t.import.note(count, t.import.notes[code] ?? code)).join(" · ")}</p>}
        <p class="faint">{t.import.estimateHint}</p>
      </section>
      <div class="wide-table" tabIndex={0} role="region" aria-label={t.import.columns}>
        <table>
          <thead><tr><th scope="col">{t.import.column}</th><th scope="col">{t.import.samples}</th><th scope="col">{t.import.becomes}</th><th scope="col">{t.import.found}</th></tr></thead>
          <tbody>
            {preview.columns.map((column) => {
              const fields = [...new Set([...(column.field ? [column.field] : []), ...(column.alternatives ?? []), ...FIELDS.filter((field) => !field.includes("."))])];
              return (
                <tr key={column.name}>
                  <th scope="row" dir="auto">{column.name}</th>
                  <td class="samples" dir="auto">{column.samples.join(" · ")}</td>
                  <td>
                    <select aria-label={`${column.name}: ${t.import.becomes}`} value={choices[column.name] ?? column.field ?? ""} onChange={(event) => choose(column, event.currentTarget.value)}>
                      <option value="">{t.import.custom}</option>
                      {fields.map((field) => <option key={field} value={field}>{nameOfField(field)}</option>)}
                    </select>
                  </td>
                  <td class="faint">{t.import.hows[column.how] ?? column.how}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </div>
  );
}
