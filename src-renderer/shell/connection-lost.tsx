import { Alone } from './alone.tsx';

export function ConnectionLost() {
  return (
    <Alone name="connection-lost">
      {(texts) => (
        <>
          <h1>{texts.connectionLost.title}</h1>
          <p>{texts.connectionLost.body}</p>
          <p>{texts.connectionLost.staff}</p>
        </>
      )}
    </Alone>
  );
}
