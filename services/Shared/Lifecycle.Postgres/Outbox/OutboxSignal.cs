namespace Lifecycle.Postgres.Outbox;

/// <summary>A bell: any number of rings before the next wait count as one.</summary>
internal sealed class OutboxSignal : IDisposable
{
    private readonly SemaphoreSlim bell = new(0, 1);

    public void Ring()
    {
        lock (bell)
        {
            if (bell.CurrentCount == 0)
            {
                bell.Release();
            }
        }
    }

    /// <returns>True when the bell rang, false when the time was up.</returns>
    public Task<bool> Wait(TimeSpan timeout, CancellationToken ct) => bell.WaitAsync(timeout, ct);

    public void Dispose() => bell.Dispose();
}
