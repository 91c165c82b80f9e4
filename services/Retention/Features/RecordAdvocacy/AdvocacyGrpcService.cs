using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Features.TrackReferrals;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.RecordAdvocacy;

/// <summary>Referrals, case studies, reviews and references.</summary>
public sealed class AdvocacyGrpcService(UnitOfWork<RetentionDbContext> work, TimeProvider time) : AdvocacyService.AdvocacyServiceBase
{
    private static readonly ListFields AdvocacyFields = new ListFields("id", "a.id");

    public override async Task<Referral> CreateReferral(CreateReferralRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.AdvocateLeadId, "advocateLeadId", out var leadId);
        var email = violations.Email(request.ReferredEmail, "referredEmail");
        var createTime = violations.TimeOrNow(request.CreateTime, time.GetUtcNow(), "createTime");
        violations.OrThrow();
        var caller = context.Caller();
        return (await work.RunIdempotent<Referral>(
            caller.WorkspaceId, context.Method, request.RequestId, request, tx => Refer(tx, leadId, email, createTime, caller.CurrencyCode), context.CancellationToken)).OrThrow();
    }

    public override Task<ListReferralsResponse> ListReferrals(ListReferralsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var leadId = Optional(request.AdvocateLeadId, "advocateLeadId");
        var query = Referrals.Parse(request).OrThrow();
        return work.Read(caller.WorkspaceId, tx => Referrals.List(tx, query, leadId, caller.CurrencyCode), context.CancellationToken);
    }

    public override async Task<Advocacy> CreateAdvocacy(CreateAdvocacyRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.CustomerId, "customerId", out var customerId);
        violations.Require(Names.Of(request.Kind).Length > 0, "kind", $"kind must be one of {Names.Known<Advocacy.Types.Kind>()}.");
        var status = request.Status == Advocacy.Types.Status.Unspecified ? Advocacy.Types.Status.Planned : request.Status;
        violations.Require(status != Advocacy.Types.Status.Published || request.Consent, "consent", "PUBLISHED needs the customer's consent.");
        violations.LimitText(request.Title, "title");
        CheckUrl(violations, request.Url);
        var createTime = violations.TimeOrNow(request.CreateTime, time.GetUtcNow(), "createTime");
        violations.OrThrow();
        return (await work.RunIdempotent<Advocacy>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                if (await CustomerLedger.Lock(tx, customerId) is not { } customer)
                {
                    return Error.NotFound("Customer", customerId);
                }

                var row = new AdvocacyRow
                {
                    WorkspaceId = tx.WorkspaceId,
                    Id = tx.NewId(),
                    CustomerId = customerId,
                    Kind = Names.Of(request.Kind),
                    Status = Names.Of(status),
                    Consent = request.Consent,
                    Title = request.Title,
                    Url = request.Url,
                    CreateTime = createTime,
                };
                tx.Db.Advocacy.Add(row);
                if (customer.LeadId is { } leadId)
                {
                    await GainAdvocate.Run(tx, leadId, row.Kind, createTime);
                }

                return ToProto(row);
            },
            context.CancellationToken)).OrThrow();
    }

    public override Task<ListAdvocacyResponse> ListAdvocacy(ListAdvocacyRequest request, ServerCallContext context)
    {
        var customerId = Optional(request.CustomerId, "customerId");
        var query = ListQuery.Parse(AdvocacyFields, request.PageSize, request.PageToken, null, null, "id desc", request.CustomerId).OrThrow();
        return work.Read(
            context.Caller().WorkspaceId,
            async tx =>
            {
                var (ids, next) = await Pages.Ids(tx, "advocacy a", "a.id", query, customerId is null ? "true" : "a.customer_id = @parentId", customerId);
                var rows = await tx.Db.Advocacy.Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.Id)).OrderByDescending(row => row.Id).ToListAsync(tx.CancellationToken);
                return new ListAdvocacyResponse { Advocacy = { rows.Select(ToProto) }, NextPageToken = next };
            },
            context.CancellationToken);
    }

    public override async Task<Advocacy> UpdateAdvocacy(UpdateAdvocacyRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.LimitText(request.Title, "title");
        CheckUrl(violations, request.Url);
        violations.OrThrow();
        return (await work.RunIdempotent<Advocacy>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                if (await tx.Db.Advocacy.SingleOrDefaultAsync(one => one.WorkspaceId == tx.WorkspaceId && one.Id == id, tx.CancellationToken) is not { } row)
                {
                    return Error.NotFound("Advocacy", id);
                }

                row.Consent = request.HasConsent ? request.Consent : row.Consent;
                row.Status = request.HasStatus ? Names.Of(request.Status) : row.Status;
                row.Title = request.HasTitle ? request.Title : row.Title;
                row.Url = request.HasUrl ? request.Url : row.Url;
                return row.Status == "PUBLISHED" && !row.Consent ? Error.Precondition("PUBLISHED needs the customer's consent.") : ToProto(row);
            },
            context.CancellationToken)).OrThrow();
    }

    private static async Task<Result<Referral>> Refer(
        Transaction<RetentionDbContext> tx, Guid leadId, string email, DateTimeOffset createTime, string currencyCode)
    {
        leadId = await LeadProfiles.Resolve(tx, leadId);
        if (!await tx.Db.Customers.AnyAsync(row => row.WorkspaceId == tx.WorkspaceId && row.LeadId == leadId, tx.CancellationToken))
        {
            return await LeadProfiles.Find(tx, leadId) is null
                ? Error.NotFound("Lead", leadId)
                : Error.Precondition($"Lead {leadId} is no customer; only customers refer.");
        }

        var referred = await tx.Db.LeadProfiles.Where(row => row.WorkspaceId == tx.WorkspaceId && row.Email == email).Select(row => (Guid?)row.LeadId).FirstOrDefaultAsync(tx.CancellationToken);
        // Both rows serialise what is told of them, in order of their ids; of two advocates with one address the unique index lets the first pass.
        foreach (var id in new[] { leadId, referred ?? leadId }.Distinct().Order())
        {
            await LeadProfiles.Lock(tx, id);
        }

        if ((await LeadProfiles.Lock(tx, leadId)).Email == email)
        {
            return Error.Invalid("referredEmail", "referredEmail is the advocate's own address.");
        }

        var referrals = tx.Db.Referrals.Where(row => row.WorkspaceId == tx.WorkspaceId);
        if (await referrals.AnyAsync(row => row.ReferredEmail == email, tx.CancellationToken))
        {
            return Error.AlreadyExists("This address was referred before.");
        }

        if (referred is not null && await referrals.AnyAsync(row => row.ReferredLeadId == referred && !row.Declined, tx.CancellationToken))
        {
            return Error.AlreadyExists("This person was referred before.");
        }

        var referral = new ReferralRow
        {
            WorkspaceId = tx.WorkspaceId,
            Id = tx.NewId(),
            AdvocateLeadId = leadId,
            ReferredEmail = email,
            ReferredLeadId = referred,
            Converted = referred is not null && await tx.Db.Customers.AnyAsync(row => row.WorkspaceId == tx.WorkspaceId && row.LeadId == referred, tx.CancellationToken),
            CreateTime = createTime,
        };
        tx.Db.Referrals.Add(referral);
        await GainAdvocate.Run(tx, leadId, "REFERRAL", createTime);
        await tx.Db.SaveChangesAsync(tx.CancellationToken);
        return await Referrals.Read(tx, referral.Id, currencyCode);
    }

    private static Guid? Optional(string text, string field)
    {
        if (text.Length == 0)
        {
            return null;
        }

        var violations = new Violations();
        violations.RequireId(text, field, out var id);
        violations.OrThrow();
        return id;
    }

    private static void CheckUrl(Violations violations, string url)
    {
        violations.LimitText(url, "url", 2000);
        violations.Require(
            url.Length == 0 || (Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"), "url", "url must be an http or https address.");
    }

    private static Advocacy ToProto(AdvocacyRow row) => new()
    {
        Id = row.Id.ToString(),
        CustomerId = row.CustomerId.ToString(),
        Kind = Names.TryParse(row.Kind, out Advocacy.Types.Kind kind) ? kind : default,
        Status = Names.TryParse(row.Status, out Advocacy.Types.Status status) ? status : default,
        Consent = row.Consent,
        Title = row.Title,
        Url = row.Url,
        CreateTime = row.CreateTime.ToProto(),
    };
}
