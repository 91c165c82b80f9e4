using Google.Protobuf.WellKnownTypes;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Capture.Features.IngestMessages;
using Lifecycle.Capture.Features.ManageChannels;
using Lifecycle.Capture.Features.ReadLeads;
using Lifecycle.Capture.Storage;
using Lifecycle.Capture.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;
using LeadMessage = Lifecycle.Capture.V1.Lead;

namespace Lifecycle.Capture.Features.ChangeLeads;

/// <summary>Creates, changes, merges and erases leads on request.</summary>
internal sealed class LeadWriter(
    UnitOfWork<CaptureDbContext> work, ChannelsCache channels, IOptions<CaptureOptions> options, TimeProvider time)
{
    public async Task<Result<LeadMessage>> Create(Caller caller, CreateLeadRequest request, CancellationToken ct)
    {
        var (violations, now) = (new Violations(), time.GetUtcNow());
        var sources = await channels.Get(caller.WorkspaceId);
        var email = request.Email.Length == 0 ? null : violations.Email(request.Email, "email");
        var externalId = request.ExternalId.Length == 0 ? null : violations.ExternalId(request.ExternalId, "externalId");
        violations.Require(request.Email.Length > 0 || request.ExternalId.Length > 0, "email", "email or externalId is required.");
        var createTime = violations.Time(request.CreateTime, now, "createTime");
        var type = request.CaptureType == LeadMessage.Types.CaptureType.Unspecified
            ? CaptureType.Api
            : (CaptureType)(int)request.CaptureType;
        violations.Require(System.Enum.IsDefined(type), "captureType", "captureType is none of FORM, CALL, CHAT, IMPORT, API, IDENTIFY.");
        violations.Require(
            request.FormType.Length == 0 || type == CaptureType.Form, "formType", "formType is told only with captureType FORM.");
        violations.Require(
            request.FormType is "" or "demo" or "content" or "contact" or "newsletter" or "other", "formType",
            "formType must be one of demo, content, contact, newsletter, other.");
        var facts = violations.Traits(request.Traits, email, createTime)
            .Concat(violations.Company(request.Company, caller.CurrencyCode)).ToArray();
        var touch = violations.Touch(request.FirstTouch, createTime, now, sources.Channels);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        var formType = request.FormType.Length == 0 ? (type == CaptureType.Form ? "other" : null) : request.FormType;
        var person = new PersonFacts(createTime, externalId, null, email, null, new(createTime, type, formType), facts);
        return await work.RunIdempotent<LeadMessage>(caller.WorkspaceId, nameof(Create), request.RequestId, request, async tx =>
        {
            var changes = await ChangeSet.Open(tx, sources, person.Keys, []);
            if (person.Keys.FirstOrDefault(key => changes.Resolver.OwnerOf(key) is not null) is { Kind: { } kind } taken)
            {
                return Error.AlreadyExists($"The {Field(kind)} belongs to lead {changes.Resolver.OwnerOf(taken)} already.");
            }

            var lead = changes.Resolver.Resolve(person, null, () => Guid.CreateVersion7(createTime))!;
            if (touch is not null)
            {
                lead.CameFrom(touch);
            }

            await changes.Apply();
            return lead.ToProto(tx.Now, caller.CurrencyCode);
        }, ct);
    }

    public async Task<Result<LeadMessage>> Update(Caller caller, UpdateLeadRequest request, CancellationToken ct)
    {
        var (violations, now) = (new Violations(), time.GetUtcNow());
        violations.RequireId(request.Id, "id", out var id);
        var email = request.HasEmail ? violations.Email(request.Email, "email") : null;
        var externalId = request.HasExternalId ? violations.ExternalId(request.ExternalId, "externalId") : null;
        var facts = violations.Traits(request.Traits, email, now)
            .Concat(violations.Company(request.Company, caller.CurrencyCode)).ToArray();
        if (violations.ToError() is { } error)
        {
            return error;
        }

        var sources = await channels.Get(caller.WorkspaceId);
        var keys = new PersonFacts(now, externalId, null, email, null, null, []).Keys;
        return await work.RunIdempotent<LeadMessage>(caller.WorkspaceId, nameof(Update), request.RequestId, request, async tx =>
        {
            var changes = await ChangeSet.Open(tx, sources, keys, [await LeadStore.Current(tx, id)]);
            if (!changes.Resolver.Leads.TryGetValue(await LeadStore.Current(tx, id), out var lead))
            {
                return Error.NotFound("Lead", id);
            }

            if (keys.FirstOrDefault(key => changes.Resolver.OwnerOf(key) is { } owner && owner != lead.Id) is { Kind: { } kind } taken)
            {
                return Error.AlreadyExists($"The {Field(kind)} belongs to lead {changes.Resolver.OwnerOf(taken)} already.");
            }

            var at = lead.TimeToSet(tx.Now);
            lead.Named(email, externalId, at);
            foreach (var key in keys)
            {
                changes.Resolver.Attach(lead, key);
            }

            foreach (var fact in facts)
            {
                lead.Told(fact.Key, fact.Json, at);
            }

            await changes.Apply();
            return (await LeadReader.Find(tx, caller, lead.Id))!;
        }, ct);
    }

    public async Task<Result<LeadMessage>> Merge(Caller caller, MergeLeadsRequest request, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(request.SourceId, "sourceId", out var sourceId);
        violations.RequireId(request.TargetId, "targetId", out var targetId);
        if (violations.ToError() is { } error)
        {
            return error;
        }

        var sources = await channels.Get(caller.WorkspaceId);
        return await work.RunIdempotent<LeadMessage>(caller.WorkspaceId, nameof(Merge), request.RequestId, request, async tx =>
        {
            await LeadStore.Lock(tx);
            var (from, into) = (await LeadStore.Current(tx, sourceId), await LeadStore.Current(tx, targetId));
            var changes = await ChangeSet.Open(tx, sources, [], [from, into]);
            if (!changes.Resolver.Leads.TryGetValue(from, out var source))
            {
                return Error.NotFound("Lead", sourceId);
            }

            if (!changes.Resolver.Leads.TryGetValue(into, out var target))
            {
                return Error.NotFound("Lead", targetId);
            }

            if (source == target)
            {
                // Asked again, a merge changes nothing. A lead that lives on cannot end in one that ended in it.
                return from != sourceId && sourceId != targetId
                    ? (await LeadReader.Find(tx, caller, target.Id))!
                    : Error.Invalid("sourceId", "sourceId and targetId are the same lead.");
            }

            changes.Resolver.Merge(source, target, tx.Now);
            await changes.Apply();
            return target.ToProto(tx.Now, caller.CurrencyCode);
        }, ct);
    }

    public async Task<Result<Empty>> Delete(Caller caller, DeleteLeadRequest request, CancellationToken ct)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        return violations.ToError() is { } error
            ? error
            : await work.RunIdempotent<Empty>(
                caller.WorkspaceId, nameof(Delete), request.RequestId, request,
                async tx => await EraseLead.Erase(tx, id, TimeSpan.FromSeconds(options.Value.ErasureAskSeconds))
                    ? new Empty()
                    : Error.NotFound("Lead", id), ct);
    }

    private static string Field(string kind) => kind == IdentityKey.Email ? "e-mail" : "external id";
}
