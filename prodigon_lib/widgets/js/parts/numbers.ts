// Numbers as a person reads them at a glance.

/** Three digits at most. */
export function short(value: number): string {
  if (value >= 9_995) return `${short(value / 1000)} k`;
  if (value >= 99.5) return value.toFixed(0);
  if (value >= 9.95) return value.toFixed(1).replace(/\.0$/, "");
  return value.toFixed(2).replace(/\.?0+$/, "");
}

export function seconds(value: number): string {
  if (value >= 60) return span(value);
  return value >= 1 ? `${short(value)} s` : `${short(value * 1000)} ms`;
}

export function percent(share: number): string {
  return `${share > 0 && share < 0.001 ? "<0.1" : short(Math.round(share * 1000) / 10)} %`;
}

/** How long something has been: seconds, minutes or hours. */
export function span(value: number): string {
  if (value < 60) return `${Math.round(value)} s`;
  if (value < 3600) return `${Math.round(value / 60)} min`;
  return `${short(value / 3600)} h`;
}
