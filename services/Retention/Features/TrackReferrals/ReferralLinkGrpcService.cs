using System.Security.Cryptography;
using Dapper;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.TrackReferrals;

/// <summary>Referral links and where they may lead.</summary>
public sealed class ReferralLinkGrpcService(UnitOfWork<RetentionDbContext> work, ReferralLinks links, TimeProvider time)
    : ReferralLinkService.ReferralLinkServiceBase
{
    private const int MaxLandingPages = 20;
    private const int MaxName = 100;

    private static readonly ListFields Fields = new ListFields("id", "l.id")
        .Add("advocateLeadId", "l.advocate_lead_id", FieldKind.Id)
        .Add("code", "l.code")
        .Add("program", "l.program")
        .Add("revoked", "(l.revoke_time is not null)", FieldKind.Boolean)
        .Sortable("createTime", "l.create_time", FieldKind.Time);

    public override Task<ListReferralLinksResponse> ListReferralLinks(ListReferralLinksRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var query = ListQuery.Parse(Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "id desc").OrThrow();
        return work.Read(
            caller.WorkspaceId,
            async tx =>
            {
                var (ids, next) = await Pages.Ids(tx, "referral_link l", "l.id", query);
                return new ListReferralLinksResponse
                {
                    ReferralLinks = { await links.Read(tx, ids, caller.CurrencyCode) },
                    NextPageToken = next
                };
            },
            context.CancellationToken);
    }

    public override async Task<ReferralLink> GetReferralLink(GetReferralLinkRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var id = Id(request.Id);
        return (await work.Read<Result<ReferralLink>>(
            caller.WorkspaceId,
            async tx => await tx.Db.ReferralLinks.AnyAsync(row => row.WorkspaceId == tx.WorkspaceId && row.Id == id, tx.CancellationToken)
                ? (await links.Read(tx, [id], caller.CurrencyCode))[0]
                : Error.NotFound("Referral link", id),
            context.CancellationToken)).OrThrow();
    }

    public override async Task<ReferralLink> CreateReferralLink(CreateReferralLinkRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var asked = Parse(request).OrThrow();
        return (await work.RunIdempotent<ReferralLink>(
            caller.WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                if (!(await Create(tx, asked)).TryGet(out var row, out var error))
                {
                    return error;
                }

                await tx.Db.SaveChangesAsync(tx.CancellationToken);
                return (await links.Read(tx, [row.Id], caller.CurrencyCode))[0];
            },
            context.CancellationToken)).OrThrow();
    }

    public override async Task<ReferralLink> RevokeReferralLink(RevokeReferralLinkRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var id = Id(request.Id);
        return (await work.RunIdempotent<ReferralLink>(
            caller.WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                if (await tx.Db.ReferralLinks.SingleOrDefaultAsync(
                    one => one.WorkspaceId == tx.WorkspaceId && one.Id == id, tx.CancellationToken) is not { } row)
                {
                    return Error.NotFound("Referral link", id);
                }

                row.RevokeTime ??= tx.Now;
                await tx.Db.SaveChangesAsync(tx.CancellationToken);
                return (await links.Read(tx, [id], caller.CurrencyCode))[0];
            },
            context.CancellationToken)).OrThrow();
    }

    public override Task<V1.ReferralSettings> GetReferralSettings(GetReferralSettingsRequest request, ServerCallContext context) =>
        work.Read(context.Caller().WorkspaceId, async tx => ToProto(await ReferralLinks.Settings(tx)), context.CancellationToken);

    public override async Task<V1.ReferralSettings> UpdateReferralSettings(UpdateReferralSettingsRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(
            request.LandingPages.Count <= MaxLandingPages, "landingPages", $"At most {MaxLandingPages} landing pages are accepted.");
        for (var index = 0; index < request.LandingPages.Count; index++)
        {
            violations.Require(
                LandingPages.Parse(request.LandingPages[index]) is { Query.Length: 0, Fragment.Length: 0 }, $"landingPages[{index}]",
                "A landing page must be an http or https address without user name, query and fragment.");
        }

        violations.LimitText(request.UtmSource, "utmSource", MaxName);
        violations.OrThrow();
        return (await work.RunIdempotent<V1.ReferralSettings>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                await Lock(tx, $"referral_settings {tx.WorkspaceId}");
                var row = await ReferralLinks.Settings(tx);
                (row.LandingPages, row.UtmSource) = (
                    [.. request.LandingPages], request.UtmSource.Length > 0 ? request.UtmSource : ReferralLinks.UsualSource);
                if (tx.Db.Entry(row).State == EntityState.Detached)
                {
                    tx.Db.ReferralSettings.Add(row);
                }

                return ToProto(row);
            },
            context.CancellationToken)).OrThrow();
    }

    private Result<Asked> Parse(CreateReferralLinkRequest request)
    {
        var violations = new Violations();
        violations.Require(
            (request.AdvocateLeadId.Length > 0) != (request.CustomerId.Length > 0), "advocateLeadId",
            "One of advocateLeadId and customerId is required, not both.");
        var leadId = request.AdvocateLeadId.Length > 0 && violations.RequireId(request.AdvocateLeadId, "advocateLeadId", out var lead)
            ? lead
            : (Guid?)null;
        var customerId = request.CustomerId.Length > 0 && violations.RequireId(request.CustomerId, "customerId", out var customer)
            ? customer
            : Guid.Empty;
        var code = request.Code.Length > 0
            ? ReferralCodes.Normalize(request.Code)
            : RandomNumberGenerator.GetString(ReferralCodes.Alphabet, ReferralCodes.RandomLength);
        violations.Require(
            code is not null, "code",
            $"code must be {ReferralCodes.MinLength} to {ReferralCodes.MaxLength} letters, digits, hyphens or underscores.");
        violations.LimitText(request.Program, "program", MaxName);
        violations.Require(
            request.LandingPage.Length == 0 || LandingPages.Parse(request.LandingPage) is not null, "landingPage",
            "landingPage must be an http or https address.");
        var createTime = violations.TimeOrNow(request.CreateTime, time.GetUtcNow(), "createTime");
        return violations.ToError() is { } error
            ? error
            : new Asked(
                leadId, customerId, code!, request.Program.Length > 0 ? request.Program : ReferralLinks.UsualProgram,
                request.LandingPage.Length > 0 ? request.LandingPage : null, createTime);
    }

    private static async Task<Result<ReferralLinkRow>> Create(Transaction<RetentionDbContext> tx, Asked asked)
    {
        var leadId = asked.LeadId;
        if (leadId is null)
        {
            if (await tx.Db.Customers.SingleOrDefaultAsync(
                row => row.WorkspaceId == tx.WorkspaceId && row.Id == asked.CustomerId, tx.CancellationToken) is not { } customer)
            {
                return Error.NotFound("Customer", asked.CustomerId);
            }

            if (customer.LeadId is null)
            {
                return Error.Precondition($"Customer {asked.CustomerId} has no lead; give the lead of one of its contacts.");
            }

            leadId = customer.LeadId;
        }

        leadId = await LeadProfiles.Resolve(tx, leadId.Value);
        if (await LeadProfiles.Find(tx, leadId.Value) is null or { Erased: true })
        {
            return Error.NotFound("Lead", leadId);
        }

        var settings = await ReferralLinks.Settings(tx);
        if (settings.LandingPages.Length == 0)
        {
            return Error.Precondition("No landing page is configured: put one with PUT /v1/referralSettings.");
        }

        if (asked.LandingPage is { } page && !LandingPages.IsAllowed(LandingPages.Parse(page)!, settings.LandingPages))
        {
            return Error.Invalid(
                "landingPage",
                $"landingPage must begin with one of the configured landing pages: {string.Join(", ", settings.LandingPages)}.");
        }

        // Of two that race with one code the second waits here and is told.
        await Lock(tx, $"referral_link {tx.WorkspaceId} {asked.Code}");
        if (await tx.Db.ReferralLinks.AnyAsync(row => row.WorkspaceId == tx.WorkspaceId && row.Code == asked.Code, tx.CancellationToken))
        {
            return Error.AlreadyExists($"The code {asked.Code} is taken.");
        }

        var link = new ReferralLinkRow
        {
            WorkspaceId = tx.WorkspaceId,
            Id = tx.NewId(),
            AdvocateLeadId = leadId.Value,
            Code = asked.Code,
            Program = asked.Program,
            LandingPage = asked.LandingPage,
            CreateTime = asked.CreateTime,
        };
        tx.Db.ReferralLinks.Add(link);
        return link;
    }

    private static async Task Lock(Transaction<RetentionDbContext> tx, string what) =>
        await tx.Connection.ExecuteAsync("select pg_advisory_xact_lock(hashtextextended(@what, 0))", new { what });

    private static Guid Id(string text)
    {
        var violations = new Violations();
        violations.RequireId(text, "id", out var id);
        violations.OrThrow();
        return id;
    }

    private static V1.ReferralSettings ToProto(ReferralSettingsRow row) =>
        new() { LandingPages = { row.LandingPages }, UtmSource = row.UtmSource };

    private sealed record Asked(Guid? LeadId, Guid CustomerId, string Code, string Program, string? LandingPage, DateTimeOffset CreateTime);
}
