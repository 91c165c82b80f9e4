using System.Text.Json;
using Lifecycle.Contracts;
using Lifecycle.Conversion.Domain.Stages;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Conversion.Storage;

/// <summary>
/// What other services say of a lead, applied to its locked row. Facts come in any order: what is said of a lead that Capture has not told
/// of yet is held and applied, oldest first, when it does.
/// </summary>
public static class LeadFacts
{
    private static readonly IReadOnlyDictionary<string, string> NoTraits = new Dictionary<string, string>();

    /// <summary>Applies the event now, or holds it until the lead is captured.</summary>
    public static async Task ApplyOrHold(Transaction<ConversionDbContext> tx, Guid leadId, ILifecycleEvent e)
    {
        var lead = await StageLedger.Lock(tx, leadId);
        if (lead.Captured)
        {
            await Apply(tx, lead, e);
            return;
        }

        tx.Db.HeldEvents.Add(new HeldEventRow
        {
            WorkspaceId = tx.WorkspaceId,
            EventId = e.EventId,
            LeadId = lead.LeadId,
            Type = e.GetType().Name,
            Body = JsonSerializer.Serialize(e, e.GetType(), JsonSerializerOptions.Web),
            OccurredAt = e.OccurredAt,
        });
    }

    /// <summary>The lead is known: keeps its profile if the version is the newest, makes it LEAD, applies what was held.</summary>
    public static async Task Capture(Transaction<ConversionDbContext> tx, LeadRow lead, LeadProfile profile)
    {
        if (profile.Version >= lead.ProfileVersion)
        {
            Keep(lead, profile);
        }

        lead.FormType ??= profile.FormType;
        if (!lead.Captured)
        {
            lead.Captured = true;
            await StageLedger.Move(tx, lead, new(Stage.Lead, StageReasons.Captured, profile.CreateTime), new("service:capture"));
            await ApplyHeld(tx, lead);
        }
    }

    /// <summary>Applies what was held for a lead that is captured by now.</summary>
    public static async Task ApplyHeld(Transaction<ConversionDbContext> tx, LeadRow lead)
    {
        var held = await tx.Db.HeldEvents.Where(row => row.LeadId == lead.LeadId).OrderBy(row => row.OccurredAt).ThenBy(row => row.EventId)
            .ToListAsync(tx.CancellationToken);
        foreach (var row in held)
        {
            await Apply(tx, lead, Read(row));
            tx.Db.HeldEvents.Remove(row);
        }
    }

    private static async Task Apply(Transaction<ConversionDbContext> tx, LeadRow lead, ILifecycleEvent e)
    {
        switch (e)
        {
            case LeadQualified qualified:
                await Qualify(tx, lead, qualified);
                break;
            case LeadDisqualified disqualified:
                await Cool(tx, lead, disqualified);
                break;
            case AdvocateGained gained:
                await Advocate(tx, lead, gained);
                break;
            case CustomerChurned churned:
                await Churn(tx, lead, churned);
                break;
            case RevenueMoved moved:
                await Earn(tx, lead, moved);
                break;
            default:
                throw new InvalidOperationException($"{e.GetType().Name} says nothing of where a lead stands.");
        }
    }

    private static async Task Qualify(Transaction<ConversionDbContext> tx, LeadRow lead, LeadQualified e)
    {
        if (e.Version < lead.ScoringVersion || await IsBeforeReturn(tx, lead, e.OccurredAt))
        {
            return;
        }

        (lead.ScoringVersion, lead.Score) = (e.Version, e.Score);
        await StageLedger.Move(tx, lead, new(Stage.Mql, StageReasons.Qualified, e.OccurredAt), new("service:scoring", Reasons: e.Reasons));
    }

    private static async Task Cool(Transaction<ConversionDbContext> tx, LeadRow lead, LeadDisqualified e)
    {
        if (e.Version < lead.ScoringVersion)
        {
            return;
        }

        (lead.ScoringVersion, lead.Score) = (e.Version, e.Score);
        await StageLedger.Move(tx, lead, new(Stage.Lead, StageReasons.ScoreDecayed, e.OccurredAt), new("service:scoring", e.Reason));
    }

    /// <summary>A verdict from before the lead last fell back is overtaken: only what it did since may qualify it again.</summary>
    private static async Task<bool> IsBeforeReturn(Transaction<ConversionDbContext> tx, LeadRow lead, DateTimeOffset occurredAt)
    {
        if (lead.Stage != Stage.Lead || lead.EnterTime is not { } entered || occurredAt >= entered)
        {
            return false;
        }

        var last = await tx.Db.StageChanges.SingleOrDefaultAsync(
            change => change.LeadId == lead.LeadId && change.Version == lead.Version, tx.CancellationToken);
        return last is not null && StageReasons.IsBackward(last.Reason);
    }

    private static async Task Advocate(Transaction<ConversionDbContext> tx, LeadRow lead, AdvocateGained e)
    {
        // Kept for good, so that the order of recommendation, churn and return makes no difference.
        lead.AdvocateTime = lead.AdvocateTime is { } earlier && earlier < e.OccurredAt ? earlier : e.OccurredAt;
        await StageLedger.Move(tx, lead, new(Stage.Advocate, StageReasons.Advocated, e.OccurredAt), new("service:retention", e.Kind));
    }

    private static async Task Churn(Transaction<ConversionDbContext> tx, LeadRow lead, CustomerChurned e)
    {
        if (e.Version < lead.RetentionVersion)
        {
            return;
        }

        lead.RetentionVersion = e.Version;
        var moved = await StageLedger.Move(
            tx, lead, new(Stage.Churned, StageReasons.Churned, e.OccurredAt), new("service:retention", e.Reason));
        lead.ChurnTime = moved.Succeeded || lead.Stage == Stage.Churned ? null : e.OccurredAt;
    }

    /// <summary>First revenue makes a customer of a lead that Retention was given directly; a reactivation brings a churned one
    /// back.</summary>
    private static async Task Earn(Transaction<ConversionDbContext> tx, LeadRow lead, RevenueMoved e)
    {
        var isStale = e.Version < lead.RetentionVersion;
        lead.RetentionVersion = Math.Max(lead.RetentionVersion, e.Version);
        if (e.Type == "REACTIVATION" && !isStale)
        {
            lead.ChurnTime = null;
            await StageLedger.Move(tx, lead, new(Stage.Customer, StageReasons.Reactivated, e.OccurredAt), new("service:retention"));
        }

        if (e.Type is "NEW" or "REACTIVATION" && lead.Stage is not (Stage.Customer or Stage.Advocate or Stage.Churned))
        {
            await StageLedger.Move(tx, lead, new(Stage.Customer, StageReasons.Imported, e.OccurredAt), new("service:retention"));
            if (lead.ChurnTime is { } churned)
            {
                lead.ChurnTime = null;
                await StageLedger.Move(tx, lead, new(Stage.Churned, StageReasons.Churned, churned), new("service:retention"));
            }
        }
    }

    private static void Keep(LeadRow lead, LeadProfile profile)
    {
        lead.ProfileVersion = profile.Version;
        lead.CaptureType = profile.CaptureType;
        lead.CreateTime = profile.CreateTime;
        if (profile.FirstTouch is { } touch)
        {
            (lead.Channel, lead.Source, lead.Medium, lead.Campaign, lead.Keyword) = (touch.Channel, touch.Source, touch.Medium,
                touch.Campaign, touch.Keyword);
            lead.TouchTime = touch.Time;
        }

        if (!lead.Erased)
        {
            (lead.Email, lead.ExternalId) = (profile.Email, profile.ExternalId);
            (lead.LandingPage, lead.ClickId, lead.SessionId) =
                (profile.FirstTouch?.LandingPage, profile.FirstTouch?.ClickId, profile.FirstTouch?.SessionId);
            lead.Traits = JsonSerializer.Serialize(profile.Traits ?? NoTraits, JsonSerializerOptions.Web);
            lead.Company = profile.Company is { } company ? JsonSerializer.Serialize(company, JsonSerializerOptions.Web) : null;
        }
    }

    private static ILifecycleEvent Read(HeldEventRow row) => row.Type switch
    {
        nameof(LeadQualified) => Parse<LeadQualified>(row),
        nameof(LeadDisqualified) => Parse<LeadDisqualified>(row),
        nameof(AdvocateGained) => Parse<AdvocateGained>(row),
        nameof(CustomerChurned) => Parse<CustomerChurned>(row),
        nameof(RevenueMoved) => Parse<RevenueMoved>(row),
        _ => throw new InvalidOperationException($"{row.Type} is never held."),
    };

    private static T Parse<T>(HeldEventRow row) => JsonSerializer.Deserialize<T>(row.Body, JsonSerializerOptions.Web)!;
}

/// <summary>What Capture knows of a lead, as far as this service keeps it.</summary>
/// <param name="Version">Capture's version; the highest wins.</param>
public sealed record LeadProfile(
    long Version, string? Email, string? ExternalId, string CaptureType, string? FormType, DateTimeOffset CreateTime,
    TouchInfo? FirstTouch, IReadOnlyDictionary<string, string>? Traits = null, CompanyInfo? Company = null);
