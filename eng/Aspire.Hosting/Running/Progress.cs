using System.Diagnostics;

namespace Aspire.Hosting.Running;

/// <summary>What the AppHost prints: states as they change, resources' output when asked for, failures.</summary>
internal sealed class Progress(TextWriter output, TextWriter errors, bool streamLogs)
{
    private readonly Lock _lock = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public TimeSpan Elapsed => _clock.Elapsed;

    public void State(ResourceSnapshot snapshot)
    {
        if (snapshot.IsHidden) return;
        var exit = snapshot is { HasEnded: true, ExitCode: { } code } ? $" with {code}" : "";
        Line($"{snapshot.DisplayName}: {snapshot.State}{exit}");
    }

    public void Health(ResourceSnapshot snapshot)
    {
        if (!snapshot.IsHidden) Line($"{snapshot.DisplayName}: {(snapshot.IsHealthy ? "Healthy" : snapshot.Condition)}");
    }

    public void Output(string resource, string text, bool isError)
    {
        if (!streamLogs) return;
        Write(isError ? errors : output, $"{resource} | {new LogLine(0, text, isError).Message}");
    }

    /// <summary>A line with the time since the start.</summary>
    public void Line(string text) => Write(output, $"[{Elapsed.TotalSeconds,5:0.0} s] {text}");

    public void Plain(string text) => Write(output, text);

    public void Failure(string text) => Write(errors, text);

    private void Write(TextWriter writer, string text)
    {
        lock (_lock)
        {
            writer.WriteLine(text);
            writer.Flush();
        }
    }
}
