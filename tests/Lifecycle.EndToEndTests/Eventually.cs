using System.Diagnostics;

namespace Lifecycle.EndToEndTests;

/// <summary>Waits for what the suite brings about by itself, and says what was missing when it does not come.</summary>
public static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    public static async Task<T> Get<T>(string what, Func<Task<T?>> look)
        where T : class
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            if (await look() is { } found)
            {
                return found;
            }

            Assert.True(watch.Elapsed < Deadline, $"{what} did not come within {Deadline.TotalSeconds:0} s.");
            await Task.Delay(100);
        }
    }

    public static Task True(string what, Func<Task<bool>> look) => Get(what, async () => await look() ? what : null);
}
