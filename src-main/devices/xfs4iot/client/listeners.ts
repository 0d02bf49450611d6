/** Listeners by name. One that throws hurts neither the others nor the connection. */
export function listeners<K, V>(onFailed: (error: unknown) => void) {
  const byName = new Map<K, Set<{ readonly call: (value: V) => void }>>();
  return {
    add(name: K, call: (value: V) => void): () => void {
      const listener = { call };
      const all = byName.get(name) ?? new Set();
      byName.set(name, all.add(listener));
      return () => all.delete(listener);
    },
    tell(name: K, value: V): void {
      for (const { call } of [...(byName.get(name) ?? [])]) {
        try {
          call(value);
        } catch (error) {
          onFailed(error);
        }
      }
    },
  };
}
