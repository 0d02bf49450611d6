import { Alone } from './alone.tsx';

/** Before the first view. */
export function StartingAlone() {
  return (
    <Alone name="starting">
      {(texts) => (
        <>
          <h1>{texts.starting.title}</h1>
          <p>{texts.starting.body}</p>
        </>
      )}
    </Alone>
  );
}
