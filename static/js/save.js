// [data-save-from="id"][data-save-as="name"] saves the text of that element as a file; shown where the browser can.
(() => {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-save-from]");
    if (!button) return;
    const text = document.getElementById(button.dataset.saveFrom).textContent;
    const url = URL.createObjectURL(new Blob([`${text.trim()}\n`], { type: "text/plain" }));
    const link = Object.assign(document.createElement("a"), { href: url, download: button.dataset.saveAs });
    link.click();
    URL.revokeObjectURL(url);
  });
})();
