"use strict";
// Shows only the rows of a table that hold every word of its search box. Without this script all rows are there.
const folded = (text) => text.normalize("NFKC").toLowerCase();
for (const search of document.querySelectorAll("[data-rows]")) {
  const rows = [...document.getElementById(search.dataset.rows).rows];
  const [box, shown] = [search.querySelector("input"), search.querySelector("output")];
  let texts = null;
  box.addEventListener("input", () => {
    texts ??= rows.map((row) => folded([...row.cells].map((cell) => cell.textContent).join(" ")));
    const words = folded(box.value).split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, at) => {
      row.hidden = !words.every((word) => texts[at].includes(word));
      count += row.hidden ? 0 : 1;
    });
    shown.textContent = count.toLocaleString("en");
  });
  search.hidden = false;
}
