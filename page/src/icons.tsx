// Icons of Lucide (ISC licence). Each is a list of SVG elements.

import { h } from "preact";
import {
  ArrowLeft, ArrowRight, Check, ChevronDown, ChevronRight, Columns3, Copy, Download, Ellipsis, Folder, FolderPlus, History, Layers2, List, ListPlus, LoaderCircle, LogOut,
  Mail, Minus, Plus, RotateCcw, Search, Trash2, TriangleAlert, Upload, UserRound, Webhook, X, type IconNode,
} from "lucide";

const icons = {
  back: ArrowLeft, move: ArrowRight, check: Check, down: ChevronDown, right: ChevronRight, columns: Columns3, copy: Copy, download: Download, more: Ellipsis, folder: Folder,
  newFolder: FolderPlus, history: History, duplicates: Layers2, list: List, newList: ListPlus, jobs: LoaderCircle, signOut: LogOut, mail: Mail, remove: Minus, plus: Plus,
  undo: RotateCcw, search: Search, erase: Trash2, warning: TriangleAlert, upload: Upload, person: UserRound, webhook: Webhook, close: X,
} satisfies Record<string, IconNode>;

export type IconName = keyof typeof icons;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  const attributes = { class: "icon", width: size, height: size, viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
  return h("svg", attributes as never, ...icons[name].map(([tag, rest]) => h(tag, rest as never)));
}
