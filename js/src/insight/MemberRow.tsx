import type { JSX } from "preact";
import { Prompt, QuoteMark } from "../bins/Prompt";
import { isText, nameOf } from "../bins/texts";
import { useStore } from "../context";
import { Photo } from "../gallery/Photo";
import type { Member } from "../kernel/protocol";
import { Button } from "../ui/Button";
import { percent, signed } from "../ui/format";
import { Icon } from "../ui/icons";
import { FOCUSABLE } from "../ui/keyboard";

interface RowProps {
  member: Member;
  /** The largest share of all, which fills its half of the bar. */
  largest: number;
  focusable: boolean;
  open: boolean;
  onToggle: () => void;
  onRemove: () => void;
}

/** Small in the list, large where the row is open, in device-independent pixels. */
const [SMALL, LARGE] = [32, 112];

/** One member of a bin; when it is open, a sentence explains its numbers and a button removes it. */
export function MemberRow({ member, largest, focusable, open, onToggle, onRemove }: RowProps): JSX.Element {
  const store = useStore();
  const { image, bin, share, change, outlier } = member;
  const label = store.gallery.label(image);
  const text = isText(image);
  const known = nameOf(image);
  const name = label && label !== image ? `${image}, ${label}` : text ? `text ${known}` : image;
  const effect = change === null ? null : `without it the heatmap changes by ${percent(change)}`;
  const words = [
    `${name} in ${bin}`,
    `share ${signed(share)}`,
    ...(effect ? [effect] : []),
    ...(outlier ? [`unlike the others in ${bin}`] : []),
  ];
  const size = largest > 0 ? Math.abs(share) / largest : 0;
  return (
    <li class="member" data-member={image} data-of={bin} data-outlier={outlier || undefined}>
      <button
        type="button"
        class="member-main"
        tabIndex={focusable ? 0 : -1}
        aria-expanded={open}
        aria-label={words.join(", ")}
        title={words.join(", ")}
        onClick={onToggle}
        {...FOCUSABLE}
      >
        <span class="member-photo">
          {text ? <QuoteMark /> : <Photo image={image} box={{ width: SMALL, height: SMALL }} heatmap={false} />}
        </span>
        <span class="member-middle">
          <span class="member-names">
            <i class="badge" data-of={bin} />
            <bdi class="member-name">{label ?? known}</bdi>
            {outlier && (
              <span class="member-outlier">
                <Icon name="warning" />
                <span>unlike the others</span>
              </span>
            )}
          </span>
          <span class="share-bar" data-sign={share < 0 ? "negative" : "positive"} style={{ "--size": size }}>
            <i />
          </span>
        </span>
        <span class="member-number">{signed(share)}</span>
        <span class="member-number member-change">{change === null ? "–" : percent(change)}</span>
      </button>
      {open && (
        <div class="member-more">
          {text ? (
            <div class="member-prompt">
              <Prompt id={image} />
            </div>
          ) : (
            <Photo image={image} box={{ width: LARGE, height: LARGE }} heatmap={false} />
          )}
          <div>
            <p>
              {known} adds {signed(share)} to the score{effect && <>; {effect}</>}.
              {outlier && ` It is unlike the others in ${bin}.`}
            </p>
            <Button
              action="remove-member"
              class="labelled"
              label={`Remove ${known} from ${bin} (Delete)`}
              onClick={onRemove}
              aim={() => ({ kind: "move", ids: [image], origin: bin, to: "gallery" })}
            >
              <Icon name="trash" /> Remove from {bin}
            </Button>
          </div>
        </div>
      )}
    </li>
  );
}
