using System.Diagnostics;

namespace Lifecycle.Testing;

/// <summary>Waits for a condition instead of for a time.</summary>
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>Asks until the answer is true.</summary>
    /// <param name="condition">Asked again and again.</param>
    /// <param name="what">What is waited for, for the failure's message.</param>
    /// <param name="within">Deadline; 90 s by default: it ends a test that is broken, and is no measure of speed.</param>
    /// <exception cref="TimeoutException">The deadline has passed.</exception>
    public static Task True(Func<Task<bool>> condition, string what, TimeSpan? within = null) =>
        Passes(async () => await condition() ? true : throw new InvalidOperationException("it is not so"), what, within);

    /// <summary>Asks until the answer equals <paramref name="expected"/>; the failure shows the last answer.</summary>
    public static Task Equal<T>(T expected, Func<Task<T>> actual, string what, TimeSpan? within = null) =>
        Passes(
            async () => await actual() is var last && EqualityComparer<T>.Default.Equals(expected, last)
                ? true
                : throw new InvalidOperationException($"expected {expected}, found {last}"),
            what, within);

    /// <summary>Runs the check until it throws nothing: the last exception is the failure's cause.</summary>
    public static async Task<T> Passes<T>(Func<Task<T>> check, string what, TimeSpan? within = null)
    {
        var patience = within ?? Patience;
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return await check();
            }
            catch (Exception exception) when (exception is not ServiceDiedException)
            {
                if (clock.Elapsed > patience)
                {
                    throw new TimeoutException($"Not within {patience.TotalSeconds:0.#} s: {what}: {exception.Message}", exception);
                }
            }

            await Task.Delay(Pause);
        }
    }

    /// <inheritdoc cref="Passes{T}"/>
    public static Task Passes(Func<Task> check, string what, TimeSpan? within = null) =>
        Passes(async () =>
        {
            await check();
            return true;
        }, what, within);
}
