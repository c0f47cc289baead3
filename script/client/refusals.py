"""Writes `refusals.py`: an exception for each code that the service may answer with."""

from __future__ import annotations

from collections.abc import Iterator

from leadyard.errors import LeadyardError
from leadyard.http.answer.errors import STATUS_OF_CODE
from script.client.models import MARK
from script.client.types import docstring, wrapped

_VIOLATIONS = '''
    @property
    def violations(self) -> tuple[dict[str, str], ...]:
        """All problems in the request, each with `path`, `code` and `message`."""
        return tuple(self.fields.get("violations", ()))
'''


def refusals_file() -> str:
    """Returns the text of the file."""
    lines = [f'"""The refusals of the service, a class for each code.\n\n{MARK}\n"""\n']
    lines += ["from __future__ import annotations\n", "from collections.abc import Mapping\n"]
    lines.append("from leadyard_client.refusal import ApiError\n")
    # Several classes may have one code. The first one has it by itself, the others inherit it.
    sentences = {each.code: each for each in reversed(list(_subclasses(LeadyardError))) if "code" in vars(each)}
    names = {code: class_name(code) for code in STATUS_OF_CODE}
    for code, status in STATUS_OF_CODE.items():
        text = " ".join(str(sentences[code].__doc__).split("\n\n")[0].split())
        about = docstring([wrapped(f"{status} `{code}`: {text}")], indent=4)
        lines.append(f"\nclass {names[code]}(ApiError):\n{about}\n")
        lines += [_VIOLATIONS] if code == "VALIDATION_ERROR" else []
    table = "".join(f'    "{code}": {name},\n' for code, name in names.items())
    lines.append(f'\nREFUSALS: Mapping[str, type[ApiError]] = {{\n{table}}}\n"""The class of each code."""\n')
    return "\n".join(lines)


def class_name(code: str) -> str:
    """Returns the name of the class: `LEADS_NOT_IN_SOURCE` is `LeadsNotInSource`."""
    return "".join(word.capitalize() for word in code.split("_"))


def _subclasses(kind: type[LeadyardError]) -> Iterator[type[LeadyardError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)
