/** Over real sockets nothing can jump: tests look again every few milliseconds, and give up after a while. */
export async function until(holds: () => boolean, withinMs = 5_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
