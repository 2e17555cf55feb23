/** The attribute by which browsers let one choose a folder; React's types do not know it. */
import "react";

declare module "react" {
  interface InputHTMLAttributes<T> {
    webkitdirectory?: T extends HTMLInputElement ? string : never;
  }
}
