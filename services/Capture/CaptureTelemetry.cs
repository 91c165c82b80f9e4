using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Lifecycle.Capture;

/// <summary>Spans and measures of this service.</summary>
internal static class CaptureTelemetry
{
    public const string Name = "Lifecycle.Capture";

    public static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);

    /// <summary>Messages by outcome: accepted, duplicate, rejected.</summary>
    public static readonly Counter<long> Messages = Meter.CreateCounter<long>(
        "lifecycle.capture.message.ingested", "{message}", "Messages taken in, by outcome");

    /// <summary>Requests answered with 503 because the queue was full.</summary>
    public static readonly Counter<long> Refused = Meter.CreateCounter<long>(
        "lifecycle.capture.request.refused", "{request}", "Requests refused by a full queue");

    /// <summary>Messages in one commit.</summary>
    public static readonly Histogram<int> CommitSize = Meter.CreateHistogram<int>(
        "lifecycle.capture.commit.messages", "{message}", "Messages in one commit");

    /// <summary>Duration of one commit.</summary>
    public static readonly Histogram<double> CommitDuration = Meter.CreateHistogram<double>(
        "lifecycle.capture.commit.duration", "s", "Duration of one commit");
}
