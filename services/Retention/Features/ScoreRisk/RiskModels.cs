using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using ProtoModel = Lifecycle.Retention.V1.RiskModel;

namespace Lifecycle.Retention.Features.ScoreRisk;

/// <summary>Weights by version.</summary>
internal static class RiskModels
{
    public static async Task<(RiskModel Model, int Version)> InForce(Transaction<RetentionDbContext> tx) =>
        await tx.Db.RiskModels.AsNoTracking().Where(row => row.WorkspaceId == tx.WorkspaceId).OrderByDescending(row => row.Version)
            .FirstOrDefaultAsync(tx.CancellationToken) is { } row
            ? (ToDomain(row), row.Version)
            : (RiskModel.Default, 0);

    /// <summary>A version, or with 0 the one in force.</summary>
    public static async Task<Result<ProtoModel>> Find(Transaction<RetentionDbContext> tx, int version)
    {
        if (version == 0)
        {
            return await tx.Db.RiskModels.Where(one => one.WorkspaceId == tx.WorkspaceId).OrderByDescending(one => one.Version)
                .FirstOrDefaultAsync(tx.CancellationToken) is { } newest
                ? ToProto(newest)
                : ToProto(Row(tx.WorkspaceId, RiskModel.Default, 0, DateTimeOffset.UnixEpoch), hasTime: false);
        }

        return await tx.Db.RiskModels.SingleOrDefaultAsync(
            one => one.WorkspaceId == tx.WorkspaceId && one.Version == version, tx.CancellationToken) is { } row
            ? ToProto(row)
            : Error.NotFound("Risk model version", version.ToString(null, null));
    }

    public static Result<RiskModel> Parse(ProtoModel? model)
    {
        var violations = new Violations();
        if (!violations.Require(model is not null, "model", "model is required."))
        {
            return violations.ToError()!;
        }

        var weights = new[]
        {
            ("usage", model!.Usage), ("support", model.Support), ("nps", model.Nps), ("payment", model.Payment),
            ("engagement", model.Engagement), ("renewal", model.Renewal)
        };
        foreach (var (name, weight) in weights)
        {
            violations.Require(weight is >= 0 and <= 100, $"model.{name}", $"model.{name} must be between 0 and 100.");
        }

        violations.Require(Math.Abs(weights.Sum(weight => weight.Item2) - 100) < 0.001, "model", "The weights must sum to 100.");
        violations.Require(model.Threshold is > 0 and <= 100, "model.threshold", "model.threshold must be above 0 and at most 100.");
        return violations.ToError() is { } error
            ? error
            : new RiskModel(
                (decimal)model.Usage, (decimal)model.Support, (decimal)model.Nps, (decimal)model.Payment, (decimal)model.Engagement,
                (decimal)model.Renewal, (decimal)model.Threshold);
    }

    /// <summary>Puts weights in force and marks every customer.</summary>
    public static async Task<ProtoModel> Put(Transaction<RetentionDbContext> tx, RiskModel model)
    {
        // Two puts at once meet at the key of the version: the second waits, then fails and is tried again by its sender.
        var row = Row(tx.WorkspaceId, model, (await InForce(tx)).Version + 1, tx.Now);
        tx.Db.RiskModels.Add(row);
        await tx.Db.SaveChangesAsync(tx.CancellationToken);
        await tx.Db.Customers.Where(one => one.WorkspaceId == tx.WorkspaceId && !one.Churned)
            .ExecuteUpdateAsync(set => set.SetProperty(one => one.RiskDueTime, tx.Now), tx.CancellationToken);
        return ToProto(row);
    }

    private static RiskModelRow Row(Guid workspaceId, RiskModel model, int version, DateTimeOffset now) => new()
    {
        WorkspaceId = workspaceId,
        Version = version,
        Usage = model.Usage,
        Support = model.Support,
        Nps = model.Nps,
        Payment = model.Payment,
        Engagement = model.Engagement,
        Renewal = model.Renewal,
        Threshold = model.Threshold,
        CreateTime = now,
    };

    private static RiskModel ToDomain(RiskModelRow row) =>
        new(row.Usage, row.Support, row.Nps, row.Payment, row.Engagement, row.Renewal, row.Threshold);

    private static ProtoModel ToProto(RiskModelRow row, bool hasTime = true) => new()
    {
        Version = row.Version,
        Usage = (double)row.Usage,
        Support = (double)row.Support,
        Nps = (double)row.Nps,
        Payment = (double)row.Payment,
        Engagement = (double)row.Engagement,
        Renewal = (double)row.Renewal,
        Threshold = (double)row.Threshold,
        CreateTime = hasTime ? row.CreateTime.ToProto() : null,
    };
}
