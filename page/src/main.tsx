import { render } from "preact";
import { Page } from "./Page";
import "./style.css";

render(<Page />, document.getElementById("page")!);
