using Dapper;
using Google.Protobuf.WellKnownTypes;
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
    private static readonly ListFields AdvocacyFields = new ListFields("id", "a.id")
        .Names("kind", "a.kind", ["CASE_STUDY", "REVIEW", "REFERENCE", "TESTIMONIAL"])
        .Names("status", "a.status", ["PLANNED", "REQUESTED", "DECLINED", "PUBLISHED", "WITHDRAWN"])
        .Add("consent", "a.consent", FieldKind.Boolean)
        .Add("usable", "(a.consent and a.status = 'PUBLISHED')", FieldKind.Boolean)
        .Add("customerId", "a.customer_id", FieldKind.Id)
        .Add("title", "a.title")
        .Sortable("createTime", "a.create_time", FieldKind.Time)
        .Add("publishTime", "a.publish_time", FieldKind.Time);

    public override async Task<Referral> CreateReferral(CreateReferralRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.AdvocateLeadId, "advocateLeadId", out var leadId);
        var email = violations.Email(request.ReferredEmail, "referredEmail");
        var createTime = violations.TimeOrNow(request.CreateTime, time.GetUtcNow(), "createTime");
        violations.OrThrow();
        var caller = context.Caller();
        return (await work.RunIdempotent<Referral>(
            caller.WorkspaceId, context.Method, request.RequestId, request, tx => Refer(tx, leadId, email, createTime, caller.CurrencyCode),
            context.CancellationToken)).OrThrow();
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
        violations.Require(
            status != Advocacy.Types.Status.Published || request.Consent, "consent", "PUBLISHED needs the customer's consent.");
        violations.LimitText(request.Title, "title");
        CheckUrl(violations, request.Url);
        var createTime = violations.TimeOrNow(request.CreateTime, time.GetUtcNow(), "createTime");
        violations.OrThrow();
        return (await work.RunIdempotent<Advocacy>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                // The lead before its customer, as sales do.
                var leadId = await tx.Db.Customers.Where(one => one.WorkspaceId == tx.WorkspaceId && one.Id == customerId)
                    .Select(one => one.LeadId)
                    .FirstOrDefaultAsync(tx.CancellationToken);
                if (leadId is { } known)
                {
                    await LeadProfiles.Lock(tx, known);
                }

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
                    ConsentTime = request.Consent ? createTime : null,
                    PublishTime = status == Advocacy.Types.Status.Published ? createTime : null,
                    Title = request.Title,
                    Url = request.Url,
                    CreateTime = createTime,
                };
                tx.Db.Advocacy.Add(row);
                await Judge(tx, customer.LeadId);
                return ToProto(row);
            },
            context.CancellationToken)).OrThrow();
    }

    public override Task<ListAdvocacyResponse> ListAdvocacy(ListAdvocacyRequest request, ServerCallContext context)
    {
        var customerId = Optional(request.CustomerId, "customerId");
        var query = ListQuery.Parse(
            AdvocacyFields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "id desc", request.CustomerId).OrThrow();
        return work.Read(
            context.Caller().WorkspaceId,
            async tx =>
            {
                var (ids, next) = await Pages.Ids(
                    tx, "advocacy a", "a.id", query, customerId is null ? "true" : "a.customer_id = @parentId", customerId);
                var rows = await tx.Db.Advocacy.Where(row => row.WorkspaceId == tx.WorkspaceId && ids.Contains(row.Id))
                    .ToDictionaryAsync(row => row.Id, tx.CancellationToken);
                return new ListAdvocacyResponse { Advocacy = { ids.Select(id => ToProto(rows[id])) }, NextPageToken = next };
            },
            context.CancellationToken);
    }

    public override async Task<Advocacy> UpdateAdvocacy(UpdateAdvocacyRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.LimitText(request.Title, "title");
        violations.Require(
            !request.HasStatus || Names.Of(request.Status).Length > 0, "status",
            $"status must be one of {Names.Known<Advocacy.Types.Status>()}.");
        CheckUrl(violations, request.Url);
        violations.OrThrow();
        return (await work.RunIdempotent<Advocacy>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx =>
            {
                if (await tx.Db.Advocacy.SingleOrDefaultAsync(
                    one => one.WorkspaceId == tx.WorkspaceId && one.Id == id, tx.CancellationToken) is not { } row)
                {
                    return Error.NotFound("Advocacy", id);
                }

                if (request.HasConsent && request.Consent != row.Consent)
                {
                    row.Consent = request.Consent;
                    row.ConsentTime = request.Consent ? tx.Now : row.ConsentTime;
                    row.ConsentWithdrawTime = request.Consent ? null : tx.Now;
                }

                // What was published without consent is out of use at once.
                row.Status = request.HasStatus ? Names.Of(request.Status)
                    : row is { Status: "PUBLISHED", Consent: false } ? "WITHDRAWN" : row.Status;
                row.Title = request.HasTitle ? request.Title : row.Title;
                row.Url = request.HasUrl ? request.Url : row.Url;
                if (row is { Status: "PUBLISHED", Consent: false })
                {
                    return Error.Precondition("PUBLISHED needs the customer's consent.");
                }

                row.PublishTime ??= row.Status == "PUBLISHED" ? tx.Now : null;
                await Judge(tx, (await tx.Db.Customers.SingleOrDefaultAsync(
                    one => one.WorkspaceId == tx.WorkspaceId && one.Id == row.CustomerId, tx.CancellationToken))?.LeadId);
                return ToProto(row);
            },
            context.CancellationToken)).OrThrow();
    }

    public override async Task<Advocacy> GetAdvocacy(GetAdvocacyRequest request, ServerCallContext context)
    {
        var id = Optional(request.Id, "id");
        return (await work.Read<Result<Advocacy>>(
            context.Caller().WorkspaceId,
            async tx => await tx.Db.Advocacy.SingleOrDefaultAsync(
                one => one.WorkspaceId == tx.WorkspaceId && one.Id == id, tx.CancellationToken) is { } row
                ? ToProto(row)
                : Error.NotFound("Advocacy", request.Id),
            context.CancellationToken)).OrThrow();
    }

    public override async Task<Empty> DeleteAdvocacy(DeleteAdvocacyRequest request, ServerCallContext context)
    {
        var id = Optional(request.Id, "id");
        return (await work.RunIdempotent<Empty>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request,
            async tx => await tx.Db.Advocacy.Where(row => row.WorkspaceId == tx.WorkspaceId && row.Id == id)
                .ExecuteDeleteAsync(tx.CancellationToken) == 1
                ? new Empty()
                : Error.NotFound("Advocacy", request.Id),
            context.CancellationToken)).OrThrow();
    }

    private static async Task Judge(Transaction<RetentionDbContext> tx, Guid? leadId)
    {
        if (leadId is { } known)
        {
            await tx.Db.SaveChangesAsync(tx.CancellationToken);
            await GainAdvocates.Run(tx, [known]);
        }
    }

    private static async Task<Result<Referral>> Refer(
        Transaction<RetentionDbContext> tx, Guid leadId, string email, DateTimeOffset createTime, string currencyCode)
    {
        // Told at the same moment as the profile of that address comes, one of the two sees the other.
        await tx.Connection.ExecuteAsync(
            "select pg_advisory_xact_lock(hashtextextended('referral ' || @workspaceId || ' ' || @email, 0))",
            new { workspaceId = tx.WorkspaceId, email });
        leadId = await LeadProfiles.Resolve(tx, leadId);
        if (!await tx.Db.Customers.AnyAsync(row => row.WorkspaceId == tx.WorkspaceId && row.LeadId == leadId, tx.CancellationToken))
        {
            return await LeadProfiles.Find(tx, leadId) is null
                ? Error.NotFound("Lead", leadId)
                : Error.Precondition($"Lead {leadId} is no customer; only customers refer.");
        }

        var referred = await tx.Db.LeadProfiles.Where(row => row.WorkspaceId == tx.WorkspaceId && row.Email == email)
            .Select(row => (Guid?)row.LeadId).FirstOrDefaultAsync(tx.CancellationToken);
        // Both rows serialise what is told of them, in order of their ids.
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
            Converted = referred is not null
                && await tx.Db.Customers.AnyAsync(row => row.WorkspaceId == tx.WorkspaceId && row.LeadId == referred, tx.CancellationToken),
            CreateTime = createTime,
        };
        tx.Db.Referrals.Add(referral);
        await Judge(tx, leadId);
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
            url.Length == 0 || (Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"), "url",
            "url must be an http or https address.");
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
        Usable = row is { Status: "PUBLISHED", Consent: true },
        ConsentTime = row.ConsentTime.ToProto(),
        ConsentWithdrawTime = row.ConsentWithdrawTime.ToProto(),
        PublishTime = row.PublishTime.ToProto(),
    };
}
