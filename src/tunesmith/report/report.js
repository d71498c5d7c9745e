"use strict";
// Draws the pictures one by one, on a ground as light or dark as the page's; on paper it is light.
const { pictures, templates, config } = JSON.parse(document.getElementById("data").textContent);
const plots = [...document.querySelectorAll(".plot")];
const dark = matchMedia("(prefers-color-scheme: dark)");

function draw(i, ground) {
  const { data, layout } = pictures[i];
  return Plotly.react(plots[i], data, { ...layout, autosize: true, template: templates[ground] }, config);
}
function drawAll(ground) { pictures.forEach((_, i) => draw(i, ground)); }
const ground = () => (dark.matches ? "dark" : "light");

let drawn = 0;
function next() {
  if (drawn < pictures.length) { draw(drawn, ground()); drawn += 1; setTimeout(next); }
}
next();
dark.addEventListener("change", () => drawAll(ground()));
addEventListener("beforeprint", () => { drawn = pictures.length; drawAll("light"); });
addEventListener("afterprint", () => drawAll(ground()));
