using System.Text.Json;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Scoring.Domain;
using Lifecycle.Scoring.Storage;

namespace Lifecycle.Scoring.Consumers;

/// <summary>A person became known.</summary>
public sealed class LeadCapturedConsumer(UnitOfWork<ScoringDbContext> work, ScoreKeeper keeper)
    : EventConsumer<LeadCaptured, ScoringDbContext>(work)
{
    protected override Task Handle(Transaction<ScoringDbContext> tx, LeadCaptured e) => ProfileWriter.Take(
        tx, keeper, e.LeadId, e.Version, e.OccurredAt,
        ProfileWriter.Profile(e.Email, e.CaptureType, e.FormType, e.CreateTime, e.FirstTouch, e.Traits, e.Company));
}

/// <summary>The profile changed.</summary>
public sealed class LeadUpdatedConsumer(UnitOfWork<ScoringDbContext> work, ScoreKeeper keeper)
    : EventConsumer<LeadUpdated, ScoringDbContext>(work)
{
    protected override Task Handle(Transaction<ScoringDbContext> tx, LeadUpdated e) => ProfileWriter.Take(
        tx, keeper, e.LeadId, e.Version, e.OccurredAt,
        ProfileWriter.Profile(e.Email, e.CaptureType, null, e.CreateTime, e.FirstTouch, e.Traits, e.Company));
}

/// <summary>Takes a lead's profile, whatever version comes when: the highest is kept, and each tells since when its rules have
/// held.</summary>
internal static class ProfileWriter
{
    public static LeadProfile Profile(
        string? email, string captureType, string? formType, DateTimeOffset createTime, TouchInfo touch,
        IReadOnlyDictionary<string, string> traits, CompanyInfo? company) => new(
            email, captureType, formType, Microseconds(createTime),
            new(touch.Channel, touch.Source, touch.Medium, touch.Campaign, touch.Keyword, touch.LandingPage),
            traits,
            company is null
                ? null
                : new(company.Name, company.Domain, company.Industry, company.Employees, company.AnnualRevenue, company.Country));

    public static async Task Take(
        Transaction<ScoringDbContext> tx, ScoreKeeper keeper, Guid leadId, long version, DateTimeOffset time, LeadProfile profile)
    {
        var row = (await LeadStore.Lock(tx, [leadId]))[leadId];
        if (row.LeadId != leadId)
        {
            // Merged: the lead it lives on as has its own profile.
            return;
        }

        if (row.EraseTime is not null)
        {
            // Erasure overtook it: what counts need is kept, and nothing of the person.
            KeepTouch(row, profile);
            await LeadStore.Save(tx, [row]);
            return;
        }

        var set = await keeper.Models(tx);
        var since = JsonSerializer.Deserialize<Dictionary<string, DateTimeOffset>>(row.Since, DefaultModel.Json)!;
        var at = Microseconds(time < profile.CreateTime ? profile.CreateTime : time);
        var before = row.Profile is null ? null : JsonSerializer.Deserialize<LeadProfile>(row.Profile, DefaultModel.Json);
        var heldBefore = before is null ? [] : Held(set, before).ToHashSet();
        foreach (var rule in Held(set, profile))
        {
            if (since.TryGetValue(rule, out var known))
            {
                since[rule] = known < at ? known : at;
            }
            else if (!heldBefore.Contains(rule))
            {
                since[rule] = at;
            }

            // Else the rule came with a later model and held already: it counts from the lead's creation on, and goes on to.
        }

        row.Since = JsonSerializer.Serialize(since, DefaultModel.Json);
        if (version > row.ProfileVersion)
        {
            Set(row, version, profile with { FormType = profile.FormType ?? before?.FormType });
        }
        else if (profile.FormType is not null && before is not null)
        {
            // Only the first event tells the form; it may come last.
            Set(row, row.ProfileVersion, before with { FormType = profile.FormType });
        }

        await keeper.Score(tx, [row], _ => at);
    }

    /// <summary>Rules of all models that hold for the profile, as <see cref="LeadRow.Since"/> names them.</summary>
    private static IEnumerable<string> Held(ModelSet set, LeadProfile profile) => set.Models.SelectMany(stored =>
        Scorer.ProfileRules(stored.Model, profile).Select(rule => SinceKeys.Key(stored.ScoreName, rule)));

    /// <summary>As Postgres keeps it.</summary>
    public static DateTimeOffset Microseconds(DateTimeOffset time) =>
        new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    private static void Set(LeadRow row, long version, LeadProfile profile)
    {
        row.ProfileVersion = version;
        row.Profile = StoredText.CleanJson(JsonSerializer.Serialize(profile, DefaultModel.Json));
        KeepTouch(row, profile);
    }

    private static void KeepTouch(LeadRow row, LeadProfile profile)
    {
        row.CreateTime = profile.CreateTime;
        (row.Channel, row.Source) = (StoredText.Clean(profile.FirstTouch.Channel), StoredText.Clean(profile.FirstTouch.Source));
        (row.Medium, row.Campaign) = (StoredText.Clean(profile.FirstTouch.Medium), StoredText.Clean(profile.FirstTouch.Campaign));
    }
}
