using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Lifecycle.Postgres.Outbox;

/// <summary>Source and meter named <c>Lifecycle.Outbox</c>.</summary>
internal static class OutboxTelemetry
{
    public const string Name = "Lifecycle.Outbox";

    public static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);

    public static readonly Counter<long> Published =
        Meter.CreateCounter<long>("lifecycle.outbox.event.published", "{event}", "Events that the broker confirmed.");

    public static readonly Counter<long> Parked =
        Meter.CreateCounter<long>("lifecycle.outbox.event.parked", "{event}", "Events given up and left for an operator.");

    public static readonly Histogram<double> Age =
        Meter.CreateHistogram<double>("lifecycle.outbox.event.age", "s", "Time from an event's transaction to the broker's confirmation.");
}
