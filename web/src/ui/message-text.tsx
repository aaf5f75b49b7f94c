import { isOnlyEmoji, splitLinks } from '../model/text.ts';

/**
 * A message's text. `textContent` of the element is the text, unit for unit: nothing is trimmed, and there is never markup in
 * it, as every part is a text node.
 */
export function MessageText({ text }: { readonly text: string }) {
  return (
    <span class={isOnlyEmoji(text) ? 'message-text only-emoji' : 'message-text'} data-testid="message-text">
      {splitLinks(text).map((run, index) =>
        run.href === undefined ? (
          run.text
        ) : (
          <a key={index} href={run.href} target="_blank" rel="noopener noreferrer nofollow">
            {run.text}
          </a>
        ),
      )}
    </span>
  );
}
