// <textarea data-picker="id of a datalist">: one value a line. The lines show as chips that can be taken off, above a box that
// suggests from the datalist; Enter or choosing a suggestion adds a line. The textarea stays what is sent, and works without script.
(() => {
  const lines = (area) => area.value.split(/[\n,]/).map((line) => line.trim()).filter(Boolean);

  function mount(area) {
    const choices = document.getElementById(area.dataset.picker);
    const known = new Set([...choices.options].map((option) => option.value));
    const box = document.createElement("input");
    box.className = "input";
    box.placeholder = "Type a service, team, pool or label";
    box.autocomplete = "off";
    box.spellcheck = false;
    box.setAttribute("list", choices.id);
    box.id = `${area.id}_box`;
    for (const name of ["aria-describedby", "aria-invalid"]) if (area.hasAttribute(name)) box.setAttribute(name, area.getAttribute(name));
    const list = document.createElement("ul");
    list.className = "picked";
    list.setAttribute("aria-label", "Covered");
    document.querySelector(`label[for="${area.id}"]`)?.setAttribute("for", box.id);
    area.hidden = true;
    area.required = false;
    area.before(list, box);

    function write(values) {
      area.value = [...new Set(values)].join("\n");
      draw();
      area.dispatchEvent(new CustomEvent("spot:picked", { bubbles: true }));
    }

    function chip(value) {
      const item = document.createElement("li");
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "chip", textContent: `${value} ×` });
      button.setAttribute("aria-label", `Take off ${value}`);
      button.addEventListener("click", () => { write(lines(area).filter((line) => line !== value)); box.focus(); });
      item.append(button);
      return item;
    }

    function draw() {
      list.replaceChildren(...lines(area).map(chip));
    }

    function add() {
      const value = box.value.trim();
      if (!value) return;
      box.value = "";
      write([...lines(area), value]);
    }

    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && box.value.trim()) { event.preventDefault(); add(); }
      if (event.key === "Backspace" && !box.value) write(lines(area).slice(0, -1));
    });
    box.addEventListener("input", (event) => {
      event.stopPropagation();
      if (known.has(box.value) && event.inputType !== "deleteContentBackward") add();
    });
    box.addEventListener("change", (event) => { event.stopPropagation(); add(); });
    box.form.addEventListener("submit", add);
    draw();
  }

  for (const area of document.querySelectorAll("textarea[data-picker]")) mount(area);
})();
