using Dapper;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Lifecycle.Retention.Features.TrackReferrals;

/// <summary>Links as the API tells them, and their public addresses <c>/r/{workspace}/{code}</c>.</summary>
public sealed class ReferralLinks(IOptions<RetentionOptions> options)
{
    public const string UsualSource = "advocate";

    public const string UsualProgram = "referrals";

    /// <summary>The workspace's id as its 22 characters of base64url.</summary>
    public Uri Public(Guid workspaceId, string code) =>
        new(options.Value.PublicBaseUrl, $"/r/{WebEncoders.Base64UrlEncode(workspaceId.ToByteArray())}/{Uri.EscapeDataString(code)}");

    /// <summary>The workspace of a public address; null for text that is none.</summary>
    public static Guid? Workspace(string text)
    {
        const int Length = 22;
        try
        {
            return text.Length == Length ? new Guid(WebEncoders.Base64UrlDecode(text)) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    public static async Task<ReferralSettingsRow> Settings(Transaction<RetentionDbContext> tx) =>
        await tx.Db.ReferralSettings.SingleOrDefaultAsync(row => row.WorkspaceId == tx.WorkspaceId, tx.CancellationToken)
        ?? new() { WorkspaceId = tx.WorkspaceId, LandingPages = [], UtmSource = UsualSource };

    /// <summary>Where a link leads: its own page while the settings allow it, else the first of theirs; null where there is none.</summary>
    public static Uri? Landing(ReferralSettingsRow settings, string? landingPage) =>
        landingPage is not null && LandingPages.Parse(landingPage) is { } own && LandingPages.IsAllowed(own, settings.LandingPages)
            ? own
            : settings.LandingPages.Select(LandingPages.Parse).FirstOrDefault(page => page is not null);

    /// <summary>Links in the order of the ids, with what they brought.</summary>
    public async Task<IReadOnlyList<ReferralLink>> Read(Transaction<RetentionDbContext> tx, Guid[] ids, string currencyCode)
    {
        var settings = await Settings(tx);
        var rows = await tx.Db.ReferralLinks.AsNoTracking().Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.Id))
            .ToDictionaryAsync(row => row.Id, tx.CancellationToken);
        var sums = (await tx.Connection.QueryAsync<Sums>(new CommandDefinition(
            $"""
            select l.id, coalesce(k.people, 0) as people, coalesce(k.programs, 0) as programs, coalesce(r.leads, 0) as leads, coalesce(r.customers, 0) as customers,
              coalesce(r.revenue, 0) as revenue
            from unnest(@ids) l(id)
            left join (
              select link_id, sum(people)::bigint as people, sum(programs)::bigint as programs from referral_click
              where workspace_id = @workspaceId and link_id = any(@ids) group by 1) k on k.link_id = l.id
            left join (
              select r.link_id, count(r.referred_lead_id) as leads, count(*) filter (where r.converted) as customers, sum({Referrals.Revenue}) as revenue
              from referral r where r.workspace_id = @workspaceId and r.link_id = any(@ids) and not r.declined group by 1) r on r.link_id = l.id
            """,
            new { workspaceId = tx.WorkspaceId, ids }, cancellationToken: tx.CancellationToken))).ToDictionary(row => row.Id);
        return [.. ids.Select(id => ToProto(rows[id], sums[id], settings, currencyCode))];
    }

    private ReferralLink ToProto(ReferralLinkRow row, Sums sums, ReferralSettingsRow settings, string currencyCode) => new()
    {
        Id = row.Id.ToString(),
        Code = row.Code,
        Url = Public(row.WorkspaceId, row.Code).AbsoluteUri,
        TargetUrl = Landing(settings, row.LandingPage) is { } landing
            ? LandingPages.Target(landing, row.Code, settings.UtmSource, row.Program).AbsoluteUri
            : "",
        AdvocateLeadId = row.AdvocateLeadId.ToString(),
        Program = row.Program,
        LandingPage = row.LandingPage ?? "",
        CreateTime = row.CreateTime.ToProto(),
        RevokeTime = row.RevokeTime.ToProto(),
        Clicks = sums.People,
        BotClicks = sums.Programs,
        Leads = sums.Leads,
        Customers = sums.Customers,
        Revenue = new Kernel.Money(currencyCode, sums.Revenue).ToProto(),
    };

    private sealed class Sums
    {
        public Guid Id { get; init; }

        public long People { get; init; }

        public long Programs { get; init; }

        public long Leads { get; init; }

        public long Customers { get; init; }

        public decimal Revenue { get; init; }
    }
}
