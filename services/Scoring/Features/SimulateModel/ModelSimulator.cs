using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Features.ManageModel;
using Lifecycle.Scoring.Storage;
using Lifecycle.Scoring.V1;
using Microsoft.Extensions.Options;

namespace Lifecycle.Scoring.Features.SimulateModel;

/// <summary>
/// Scores the recorded activities of all leads by a draft and by the model in force, and compares who would have qualified in a period with
/// who became a customer: in one answer for up to <see cref="ScoringOptions.MaxSimulatedLeads"/> leads, as a stream with progress for any
/// number.
/// </summary>
public sealed class ModelSimulator(
    UnitOfWork<ScoringDbContext> work, ModelStore models, IOptions<ScoringOptions> options, TimeProvider time)
{
    private const int DefaultDays = 90;
    private const int DefaultSample = 20;
    private const int MaxSample = 1_000;
    private static readonly TimeSpan ProgressPause = TimeSpan.FromSeconds(1);

    public async Task<Result<SimulateModelResponse>> Simulate(
        Guid workspaceId, TimeZoneInfo zone, SimulateModelRequest request, CancellationToken ct)
    {
        var prepared = await Prepare(workspaceId, zone, request, ct);
        if (!prepared.TryGet(out var simulation, out var error))
        {
            return error;
        }

        return await simulation.Count(ct) > options.Value.MaxSimulatedLeads
            ? Error.Precondition(
                $"There are more than {options.Value.MaxSimulatedLeads} leads: ask for the stream (POST /v1/scoring/model:streamSimulation).")
            : await simulation.Run(ct);
    }

    /// <summary>Runs to the end or until the reader is gone; tells progress meanwhile.</summary>
    public async Task Stream(
        Guid workspaceId, TimeZoneInfo zone, SimulateModelRequest request, IServerStreamWriter<StreamSimulationResponse> stream,
        CancellationToken ct)
    {
        var simulation = (await Prepare(workspaceId, zone, request, ct)).OrThrow();
        await simulation.Count(ct);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var running = simulation.Run(stop.Token);
        try
        {
            while (!running.IsCompleted)
            {
                await stream.WriteAsync(new() { Progress = simulation.Progress }, ct);
                await Task.WhenAny(running, Task.Delay(ProgressPause, time, stop.Token));
            }

            await stream.WriteAsync(new() { Progress = simulation.Progress, Result = await running }, ct);
        }
        finally
        {
            // A reader that left stops the work, and the work is over before the call is.
            await stop.CancelAsync();
            await running.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private async Task<Result<Simulation>> Prepare(
        Guid workspaceId, TimeZoneInfo zone, SimulateModelRequest request, CancellationToken ct)
    {
        var violations = new Violations();
        var draft = request.Model is null
            ? Error.Invalid("model", "model is required.")
            : ModelCompiler.Compile(ModelMessages.ToDefinition(request.Model), 0, "model.");
        foreach (var violation in draft.Error?.Violations ?? [])
        {
            violations.Add(violation.Field, violation.Message);
        }

        var scoreName = request.Model is { ScoreName.Length: > 0 } named ? named.ScoreName : ModelStore.DefaultScore;
        violations.Require(ModelCompiler.IsScoreName(scoreName), "model.scoreName", ModelCompiler.ScoreNameForm);
        violations.Require(request.SampleSize is >= 0 and <= MaxSample, "sampleSize", $"sampleSize is {MaxSample} at most.");
        var (from, to) = Period(request, zone, violations);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        var set = await work.Read(workspaceId, models.InForce, ct);
        var current = set.Find(scoreName) ?? set.Default;
        var sample = request.SampleSize == 0 ? DefaultSample : request.SampleSize;
        return new Simulation(
            work, new(workspaceId, new(draft.Value, null, "", scoreName), current, from, to, sample), options.Value.SimulationWorkers);
    }

    private (DateTimeOffset From, DateTimeOffset To) Period(SimulateModelRequest request, TimeZoneInfo zone, Violations violations)
    {
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(time.GetUtcNow(), zone).DateTime);
        var to = today.AddDays(1);
        if (request.To.Length > 0)
        {
            violations.RequireDate(request.To, "to", out to);
        }

        var from = to > DateOnly.MinValue.AddDays(DefaultDays) ? to.AddDays(-DefaultDays) : DateOnly.MinValue;
        if (request.From.Length > 0)
        {
            violations.RequireDate(request.From, "from", out from);
        }

        violations.Require(from < to || violations.Any, "to", "to is exclusive and must be after from.");
        return (ReportPeriod.Midnight(from, zone), ReportPeriod.Midnight(to, zone));
    }
}
