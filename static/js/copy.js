// [data-copy="text"] or [data-copy-from="id"] copies to the clipboard and says so for two seconds.
(() => {
  function byHand(text) { // without the clipboard API, that is, over plain http
    const area = Object.assign(document.createElement("textarea"), { value: text, className: "for-screen-readers" });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return byHand(text);
    }
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    const source = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
    const text = source ? source.value ?? source.textContent : button.dataset.copy;
    const isDone = await copy(text.trim());
    const word = button.querySelector("[data-copy-word]");
    const before = word?.textContent;
    if (!isDone) {
      document.dispatchEvent(new CustomEvent("spot:toast", { detail: { text: "The browser refused to copy. Select the text and press Ctrl-C.", tone: "warn" } }));
    } else if (word && before !== "Copied") {
      word.textContent = "Copied";
      setTimeout(() => { word.textContent = before; }, 2000);
    }
  });
})();
