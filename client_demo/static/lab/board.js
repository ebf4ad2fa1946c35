// Ten rows, four charts side by side, drawn by Chart.js; a row is one way to end a pass.
/* global Chart */
import { milliseconds, number } from "./dom.js";
import { onChange, palette, still } from "./palette.js";

const LEAST = 0.5, MOST = 60_000;
const TICKS = [1, 10, 100, 1000, 10_000];
const links = [...document.querySelectorAll(".names [data-name]")];
const NAMES = links.map((link) => link.dataset.name);
const charts = new Map();
let colors = palette();
let active = null;

const kept = (ms) => Math.min(Math.max(ms, LEAST), MOST);
const point = (row, ms) => ({ x: kept(ms), y: row.name });
const color = (row) => (row.state === "running" ? colors.bad : row.slow ? colors.unsure : colors.accent);

// What is drawn under and over the bars: the row at hand, and each value at the end of its bar.
const rowAtHand = (value) => ({
  id: "rowAtHand",
  beforeDatasetsDraw({ ctx, chartArea: area, scales }) {
    const at = NAMES.indexOf(active);
    if (at < 0) return;
    const high = area.height / NAMES.length;
    ctx.fillStyle = colors.band;
    ctx.fillRect(0, scales.y.getPixelForValue(at) - high / 2, area.right + 99, high);
  },
  afterDatasetsDraw({ ctx, scales, rows = [], width }) {
    ctx.font = `600 ${Chart.defaults.font.size}px ${Chart.defaults.font.family}`;
    ctx.textBaseline = "middle";
    for (const row of rows) {
      const { text, upTo, tone } = value(row);
      if (!text) continue;
      const wide = ctx.measureText(text).width;
      const x = Math.min(scales.x.getPixelForValue(upTo) + 12, width - wide - 2);
      const y = scales.y.getPixelForValue(NAMES.indexOf(row.name));
      ctx.fillStyle = colors.card;
      ctx.globalAlpha = row.name === active ? 0 : .75;
      ctx.fillRect(x - 3, y - 9, wide + 6, 18);
      ctx.globalAlpha = 1;
      ctx.fillStyle = tone ?? colors.ink;
      ctx.fillText(text, x, y);
    }
  },
});

function timeValue(row) {
  const ms = row.now ?? row.before?.p50 ?? null;
  if (ms === null) return {};
  const far = Math.max(kept(ms), ...row.here.map(kept), kept(row.before?.slowest ?? 0));
  const tone = row.state === "running" ? colors.bad : row.slow ? colors.unsure : colors.ink;
  return { text: milliseconds(ms), upTo: far, tone };
}

const VALUES = {
  time: timeValue,
  price: (row) => (row.before ? { text: `${number(row.before.price)} ms`, upTo: row.before.price } : {}),
  asked: (row) => (row.before ? { text: `${row.before.asked}`, upTo: row.before.asked } : {}),
  state: (row) => (row.before ? { text: `${number(row.before.state / 1000)} KB`, upTo: row.before.state } : {}),
};

const every = (wide) => (wide > 300 ? 1 : wide > 200 ? 2 : 4);
const bar = (data, thick, tint) => ({ type: "bar", grouped: false, barThickness: thick, borderRadius: thick / 2, borderSkipped: false, backgroundColor: tint, data });
const dots = (data, radius, tint, rim) => ({ type: "scatter", data, pointRadius: radius, pointHoverRadius: radius, pointBackgroundColor: tint, pointBorderColor: rim, pointBorderWidth: 2, clip: false });

function times(rows) {
  const before = rows.filter((row) => row.before);
  const mine = rows.filter((row) => row.now !== null);
  const older = rows.flatMap((row) => row.here.slice(0, row.state === "running" ? undefined : -1).map((ms) => point(row, ms)));
  return [
    dots(mine.map((row) => point(row, row.now)), 7, mine.map(color), colors.card),
    dots(older, 4, `${colors.accent}88`, "transparent"),
    bar(mine.map((row) => ({ x: [LEAST, kept(row.now)], y: row.name })), 5, mine.map(color)),
    { ...dots(before.map((row) => point(row, row.before.p99)), 7, colors.soft, colors.soft), pointStyle: "line", rotation: 90 },
    bar(before.map((row) => ({ x: [LEAST, kept(row.before.p50)], y: row.name })), 16, colors.before),
    bar(before.map((row) => ({ x: [LEAST, kept(row.before.slowest)], y: row.name })), 6, colors.before),
  ];
}

const plain = (key) => (rows) => [bar(rows.filter((row) => row.before).map((row) => ({ x: row.before[key], y: row.name })), 12, colors.accent)];
const DATA = { time: times, price: plain("price"), asked: plain("asked"), state: plain("state") };

function across(key) {
  const grid = { color: colors.line, drawTicks: false, tickLength: 0 };
  const ticks = { color: colors.soft, autoSkip: false, maxRotation: 0, padding: 4 };
  const high = (scale) => { scale.height = scale.chart.height - NAMES.length * links[0].getBoundingClientRect().height; };
  if (key === "time") {
    const only = (scale) => { scale.ticks = TICKS.filter((_, at) => at % every(scale.chart.width) === 0).map((value) => ({ value })); };
    return { type: "logarithmic", position: "top", min: LEAST, max: MOST, grid, border: { display: false }, afterFit: high, afterBuildTicks: only, ticks: { ...ticks, callback: milliseconds } };
  }
  return { type: "linear", position: "top", min: 0, afterDataLimits: (scale) => { scale.max *= 2.9; }, grid: { display: false }, border: { display: false }, afterFit: high, ticks: { display: false } };
}

function options(key) {
  return {
    indexAxis: "y", maintainAspectRatio: false, events: ["mousemove", "mouseout", "click"], layout: { autoPadding: false, padding: ({ chart }) => (key === "time" ? { left: chart.width > 200 ? 10 : 4, right: chart.width > 200 ? 68 : 54 } : { left: 2 }) },
    animation: { duration: still() ? 0 : 90, easing: "linear" },
    plugins: { legend: { display: false }, tooltip: { enabled: false } },
    scales: { x: across(key), y: { type: "category", labels: NAMES, display: false, offset: true, grid: { display: false } } },
    onHover: (event, _, chart) => {
      const at = event.type === "mouseout" ? -1 : Math.floor((event.y - chart.chartArea.top) / (chart.chartArea.height / NAMES.length));
      document.getElementById("board").dispatchEvent(new CustomEvent("row", { detail: NAMES[at] ?? null }));
    },
  };
}

export function show(rows) {
  const size = parseFloat(getComputedStyle(document.documentElement).fontSize);
  Object.assign(Chart.defaults.font, { family: getComputedStyle(document.body).fontFamily, size: size * .8 });
  for (const key of Object.keys(DATA)) {
    const known = charts.get(key);
    if (known) {
      known.rows = rows;
      merge(known.data.datasets, DATA[key](rows));
      known.update();
      continue;
    }
    const canvas = document.getElementById(`chart-${key}`);
    const chart = new Chart(canvas, { type: "bar", data: { datasets: DATA[key](rows) }, options: options(key), plugins: [rowAtHand(VALUES[key])] });
    chart.rows = rows;
    chart.update("none");
    charts.set(key, chart);
  }
}

// The sets stay the same objects, so that what moves is seen to move.
function merge(old, fresh) {
  fresh.forEach((set, at) => { Object.assign(old[at], set); });
}

export function pointAt(name) {
  if (active === name) return;
  active = name;
  charts.forEach((chart) => chart.draw());
}

onChange(() => {
  colors = palette();
  for (const [key, chart] of charts) {
    chart.options = options(key);
    merge(chart.data.datasets, DATA[key](chart.rows));
    chart.resize();
    chart.update("none");
  }
});
