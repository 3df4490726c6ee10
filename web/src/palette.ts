/** Colours of tours: apart from each other for every eye, and apart from the scale of risk. */

const COLOURS = [
  "#5ec8f2", // sky
  "#ff8fa3", // rose
  "#5fd38d", // green
  "#c79bff", // violet
  "#ff7a45", // vermilion
  "#7aa2ff", // blue
  "#2fd6c3", // teal
  "#e879c6", // magenta
  "#a3c644", // moss
  "#d9a48f", // clay
] as const;

export const tourColour = (index: number) => COLOURS[index % COLOURS.length]!;
