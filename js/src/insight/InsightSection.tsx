import type { ComponentChildren, JSX } from "preact";

interface SectionProps {
  name: string;
  title: string;
  /** `loading`, `ready` and so on, for tests and scripts that wait for it. */
  phase: string;
  busy?: boolean;
  aside?: ComponentChildren;
  children: ComponentChildren;
}

/** A titled part of the insight panel. */
export function InsightSection({ name, title, phase, busy, aside, children }: SectionProps): JSX.Element {
  return (
    <section class="insight-section" data-insight={name} data-phase={phase} aria-label={title} aria-busy={busy}>
      <div class="insight-head">
        <h3>{title}</h3>
        <span class="spacer" />
        {aside}
      </div>
      {children}
    </section>
  );
}
