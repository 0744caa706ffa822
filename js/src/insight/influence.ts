import type { Share } from "../engine/compute";
import type { Influence, Member } from "../kernel/protocol";

/** What the panel shows of an explicand's score and its members. */
export type Contributions = Pick<Influence, "score" | "members">;

/**
 * The page's shares with what only the kernel knows of the members: how much the heatmap changes without one, and which are
 * outliers. The largest absolute share comes first.
 */
export function completed(
  { score, shares }: { score: number; shares: Share[] },
  reply: Influence | null,
): Contributions {
  const key = ({ image, bin }: { image: string; bin: string }) => `${bin} ${image}`;
  const known = new Map(reply?.members.map((member) => [key(member), member]));
  const members = shares.map((share): Member => {
    const { change = null, outlier = false } = known.get(key(share)) ?? {};
    return { ...share, change, outlier };
  });
  return { score, members: members.sort((a, b) => Math.abs(b.share) - Math.abs(a.share)) };
}
