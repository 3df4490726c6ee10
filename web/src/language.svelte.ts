/** The language of the console, and how it writes numbers, dates and times. */

import { MESSAGES, type Key, type Language } from "./messages";

const STORED = "binround-language";

function preferred(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === "de" || stored === "en") return stored;
  return navigator.languages.some((tag) => tag.toLowerCase().startsWith("de")) ? "de" : "en";
}

class Words {
  language = $state<Language>(preferred());
  zone = $state("UTC");

  #locale = $derived(this.language === "de" ? "de-DE" : "en-GB");
  #clock = $derived(this.#dates({ hour: "2-digit", minute: "2-digit", second: "2-digit" }));
  #minutes = $derived(this.#dates({ hour: "2-digit", minute: "2-digit" }));
  #long = $derived(this.#dates({ weekday: "long", day: "numeric", month: "long" }));
  #moment = $derived(
    this.#dates({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }),
  );

  #dates(options: Intl.DateTimeFormatOptions) {
    return new Intl.DateTimeFormat(this.#locale, { ...options, timeZone: this.zone });
  }

  /** The instant at which the day of an instant began, in the region's zone. */
  midnight(instant: Date) {
    const [h = 0, m = 0, s = 0] = new Intl.DateTimeFormat("en-GB", {
      timeZone: this.zone,
      timeStyle: "medium",
    })
      .format(instant)
      .split(":")
      .map(Number);
    return new Date(instant.getTime() - 1000 * (3600 * h + 60 * m + s));
  }

  toggle() {
    this.language = this.language === "de" ? "en" : "de";
    localStorage.setItem(STORED, this.language);
  }

  /** The words behind a key, with its gaps filled in. */
  say = (key: Key, gaps: Record<string, string | number> = {}) =>
    MESSAGES[this.language][key].replace(/\{(\w+)\}/g, (_, name) => String(gaps[name] ?? ""));

  /** The name of something that has one in both languages. */
  name = (thing: { name_de: string; name_en: string }) =>
    this.language === "de" ? thing.name_de : thing.name_en;

  /** A sentence that the server tells in both languages. */
  text = (said: { en: string; de: string }) => said[this.language];

  number = (value: number, digits = 0) =>
    new Intl.NumberFormat(this.#locale, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(value);

  percent = (share: number) =>
    new Intl.NumberFormat(this.#locale, { style: "percent" }).format(share);

  euro = (value: number) =>
    new Intl.NumberFormat(this.#locale, {
      style: "currency",
      currency: "EUR",
      maximumFractionDigits: 0,
    }).format(value);

  km = (value: number) => `${this.number(value, value < 100 ? 1 : 0)} km`;
  tonnes = (kg: number) => `${this.number(kg / 1000, 1)} t`;
  hours = (value: number) => `${this.number(value, 1)} h`;
  clock = (instant: Date) => this.#clock.format(instant);
  minutes = (instant: Date | string) => this.#minutes.format(new Date(instant));
  long = (instant: Date) => this.#long.format(instant);
  moment = (instant: Date | string) => this.#moment.format(new Date(instant));
}

export const words = new Words();
