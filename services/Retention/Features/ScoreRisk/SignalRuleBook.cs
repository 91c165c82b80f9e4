using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.ScoreRisk;

/// <summary>Which activities of a workspace are signals.</summary>
internal static class SignalRuleBook
{
    private const int MaxRules = 200;

    public static Result<IReadOnlyList<SignalRule>> Parse(SignalRules? given)
    {
        var violations = new Violations();
        if (!violations.Require(given is not null, "rules", "rules is required."))
        {
            return violations.ToError()!;
        }

        violations.Require(
            given!.Rules.Count <= MaxRules, "rules.rules", $"A workspace has at most {MaxRules} rules, not {given.Rules.Count}.");
        foreach (var (index, rule) in given.Rules.Take(MaxRules).Index())
        {
            violations.RequireText(rule.EventName, $"rules.rules[{index}].eventName");
            violations.Require(
                Names.Of(rule.Kind).Length > 0, $"rules.rules[{index}].kind",
                $"kind must be one of {Names.Known<CustomerSignal.Types.Kind>()}.");
            violations.LimitText(rule.QuantityProperty, $"rules.rules[{index}].quantityProperty");
        }

        var twice = given.Rules.GroupBy(rule => ActivitySignals.Key(rule.EventName)).FirstOrDefault(group => group.Count() > 1);
        violations.Require(twice is null, "rules.rules", $"{twice?.Key} has more than one rule.");
        return violations.ToError() is { } error ? error : given.Rules.ToArray();
    }

    public static async Task<SignalRules> Read(Transaction<RetentionDbContext> tx)
    {
        var rows = await tx.Db.SignalRules.AsNoTracking().Where(row => row.WorkspaceId == tx.WorkspaceId).OrderBy(row => row.EventKey)
            .ToListAsync(tx.CancellationToken);
        return new()
        {
            Rules =
            {
                rows.Select(row => new SignalRule
                {
                    EventName = row.EventName,
                    Kind = Names.TryParse(row.Kind, out CustomerSignal.Types.Kind kind) ? kind : default,
                    QuantityProperty = row.QuantityProperty,
                }),
            },
        };
    }

    public static async Task<SignalRules> Put(Transaction<RetentionDbContext> tx, IReadOnlyList<SignalRule> rules)
    {
        await tx.Db.SignalRules.Where(row => row.WorkspaceId == tx.WorkspaceId).ExecuteDeleteAsync(tx.CancellationToken);
        tx.Db.SignalRules.AddRange(rules.Select(rule => new SignalRuleRow
        {
            WorkspaceId = tx.WorkspaceId,
            EventKey = ActivitySignals.Key(rule.EventName),
            EventName = rule.EventName.Trim(),
            Kind = Names.Of(rule.Kind),
            QuantityProperty = rule.QuantityProperty,
        }));
        await tx.Db.SaveChangesAsync(tx.CancellationToken);
        return await Read(tx);
    }
}
