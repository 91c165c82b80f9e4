using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Lifecycle.Conversion;

/// <summary>Traces and measures of the service.</summary>
public sealed class ConversionTelemetry : IDisposable
{
    public const string Name = "Lifecycle.Conversion";

    private readonly Meter meter = new(Name);

    public ConversionTelemetry()
    {
        JourneysFrozen = meter.CreateCounter<long>(
            "lifecycle.conversion.journeys.frozen", "{journey}", "Journeys frozen at the close of a deal.");
        JourneysFailed = meter.CreateCounter<long>(
            "lifecycle.conversion.journeys.failed", "{attempt}", "Attempts to fetch a journey that failed.");
        RowsImported = meter.CreateCounter<long>("lifecycle.conversion.rows.imported", "{row}", "Rows of opportunities read from imports.");
    }

    public ActivitySource Source { get; } = new(Name);

    public Counter<long> JourneysFrozen { get; }

    public Counter<long> JourneysFailed { get; }

    public Counter<long> RowsImported { get; }

    public void Dispose()
    {
        meter.Dispose();
        Source.Dispose();
    }
}
