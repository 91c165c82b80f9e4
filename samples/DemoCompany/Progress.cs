using System.Diagnostics;

namespace DemoCompany;

/// <summary>Tells on the console what has been done, with the seconds since the start.</summary>
internal sealed class Progress(TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly long began = time.GetTimestamp();
    private readonly Lock sync = new();
    private long told = time.GetTimestamp();

    public TimeSpan Elapsed => time.GetElapsedTime(began);

    public void Say(string line)
    {
        lock (sync)
        {
            told = time.GetTimestamp();
            Console.WriteLine($"{Elapsed.TotalSeconds,7:0.0} s  {line}");
        }
    }

    /// <summary>As <see cref="Say"/>, but only every two seconds.</summary>
    public void Tick(Func<string> line)
    {
        lock (sync)
        {
            if (time.GetElapsedTime(told) >= Pause)
            {
                Say(line());
            }
        }
    }

    /// <summary>
    /// Asks again and again until the state is done. Fails when it has not changed for <paramref name="patience"/>.
    /// </summary>
    /// <param name="ask">The state in words, and whether it is done.</param>
    /// <param name="stuck">What to say of a state that does not change.</param>
    public async Task Until(Func<Task<(bool Done, string State)>> ask, TimeSpan patience, string stuck, CancellationToken ct)
    {
        var (last, since) = ("", Stopwatch.GetTimestamp());
        while (true)
        {
            var (done, state) = await ask();
            if (done)
            {
                Say(state);
                return;
            }

            Tick(() => state);
            if (state != last)
            {
                (last, since) = (state, Stopwatch.GetTimestamp());
            }
            else if (Stopwatch.GetElapsedTime(since) > patience)
            {
                throw new GatewayException($"{stuck} ({state}); look at the services' logs on the dashboard.");
            }

            await Task.Delay(TimeSpan.FromSeconds(1), time, ct);
        }
    }
}
