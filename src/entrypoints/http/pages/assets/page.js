"use strict";
for (const each of document.querySelectorAll("[data-origin]")) each.textContent = location.origin;

for (const block of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = block.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.textContent);
    button.textContent = block.dataset.copied;
    setTimeout(() => { button.textContent = block.dataset.copy; }, 2000);
  });
  if (navigator.clipboard) block.nextElementSibling.prepend(button);
}

for (const plot of document.querySelectorAll(".plot")) {
  const months = [...plot.querySelectorAll(".months rect")];
  const readout = plot.parentElement.querySelector(".readout");
  if (!readout || !months.length) continue;
  const hint = readout.textContent, cursor = plot.querySelector(".cursor"), spot = plot.querySelector(".spot");
  const words = months.map((month) => {
    const title = month.firstChild;
    const text = title.textContent;
    title.remove(); // the browser's own bubble would lie over the line
    return text;
  });
  plot.addEventListener("pointermove", (event) => {
    const at = months.indexOf(event.target);
    if (at < 0) return;
    const { x, y } = months[at].dataset;
    plot.classList.add("following");
    cursor.setAttribute("transform", `translate(${x} 0)`);
    spot.setAttribute("transform", `translate(${x} ${y})`);
    readout.textContent = words[at];
  });
  plot.addEventListener("pointerleave", () => {
    plot.classList.remove("following");
    readout.textContent = hint;
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
