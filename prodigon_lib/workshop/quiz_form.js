// A quiz as native radio buttons: one group a question, a button, and a place where the reply is read out.

function render({ model, el }) {
  const replies = model.get("questions").map((question, place) => {
    const form = ask(question, `quiz-${model.model_id ?? ""}-${place}`, (option) => {
      model.set("given", { question: place, option, time: Date.now() });
      model.save_changes();
    });
    el.append(form.element);
    return form.reply;
  });
  const show = () => model.get("said").forEach((html, place) => (replies[place].innerHTML = html));
  model.on("change:said", show);
  show();
}

function ask(question, name, send) {
  const form = document.createElement("form");
  const group = document.createElement("fieldset");
  group.style.cssText = "border:0;margin:0 0 18px 0;padding:0;max-width:860px;line-height:1.5";
  group.append(with_text("legend", question.text, "font-weight:600;padding:0"));
  question.options.forEach((text, place) => group.append(option(text, name, place)));
  const button = with_text("button", "Answer", "margin:6px 0;padding:4px 18px;font:inherit");
  const reply = document.createElement("div");
  reply.setAttribute("role", "status");
  group.append(keep_keys(button), reply);
  form.append(group);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = form.querySelector("input:checked");
    send(chosen ? Number(chosen.value) : -1);
  });
  return { element: form, reply };
}

function option(text, name, place) {
  const label = with_text("label", "", "display:flex;gap:8px;align-items:baseline;padding:1px 0");
  const input = Object.assign(document.createElement("input"), { type: "radio", name, value: place });
  label.append(keep_keys(input), with_text("span", text, ""));
  return label;
}

// Else JupyterLab takes the arrows for itself, and selects the next cell in place of the next option. It asks the
// element that has the focus, and none around it.
function keep_keys(element) {
  element.setAttribute("data-lm-suppress-shortcuts", "true");
  return element;
}

function with_text(tag, text, style) {
  const element = document.createElement(tag);
  // What stands between backticks is code: every second piece.
  text.split("`").forEach((piece, place) => {
    const code = place % 2 ? document.createElement("code") : document.createTextNode("");
    code.textContent = piece;
    element.append(code);
  });
  element.style.cssText = style;
  return element;
}

export default { render };
