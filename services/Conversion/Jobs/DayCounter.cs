using Lifecycle.Conversion.Features.CountDays;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.Jobs;

/// <summary>Adds up the days that reports read, round by round.</summary>
public sealed class DayCounter(
    CountDays count, UnitOfWork<ConversionDbContext> work, IOptions<ConversionOptions> options, TimeProvider time,
    ILogger<DayCounter> logger)
    : WorkspaceJob<ConversionDbContext>(work, TimeSpan.FromSeconds(options.Value.DayCountPollSeconds), time, logger)
{
    protected override Task Run(Guid workspaceId, CancellationToken ct) => count.Handle(workspaceId, ct);
}
