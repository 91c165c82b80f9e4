using Dapper;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Features.LintEmail;
using Lifecycle.Nurture.Features.RenderEmail;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Nurture.Features.ManageEmails;

/// <summary>E-mail templates, and the mails to a lead, over gRPC and REST.</summary>
internal sealed class EmailGrpcService(
    UnitOfWork<NurtureDbContext> unitOfWork, MailRenderer renderer, MailLinks links, SendTestEmailHandler testMails, LintEmailHandler lints)
    : EmailService.EmailServiceBase
{
    private static readonly ListFields Fields = new ListFields("id", "e.id")
        .Sortable("displayName", "e.display_name").Add("subject", "e.subject")
        .Sortable("createTime", "e.create_time", FieldKind.Time).Sortable("updateTime", "e.update_time", FieldKind.Time);

    public override async Task<Email> CreateEmail(CreateEmailRequest request, ServerCallContext context)
    {
        var draft = new EmailRow
        {
            WorkspaceId = context.Caller().WorkspaceId,
            Id = Guid.Empty,
            DisplayName = request.DisplayName,
            Subject = request.Subject,
            Html = request.Html,
            Text = request.Text,
            FromName = request.FromName,
            FromAddress = request.FromAddress,
            ReplyTo = request.ReplyTo,
            Version = 1,
            CreateTime = default,
            UpdateTime = default,
        };
        EmailRules.Check(draft, renderer).OrThrow();
        return (await unitOfWork.RunIdempotent<Email>(draft.WorkspaceId, context.Method, request.RequestId, request, tx =>
        {
            var row = EmailRules.Copy(draft, tx.NewId(), tx.Now);
            tx.Db.Emails.Add(row);
            return Task.FromResult<Result<Email>>(ToProto(row));
        }, context.CancellationToken)).OrThrow();
    }

    public override async Task<Email> GetEmail(GetEmailRequest request, ServerCallContext context)
    {
        var id = Requests.Id(request.Id);
        return ToProto((await unitOfWork.Read(context.Caller().WorkspaceId, tx => Find(tx, id), context.CancellationToken)).OrThrow());
    }

    public override async Task<ListEmailsResponse> ListEmails(ListEmailsRequest request, ServerCallContext context)
    {
        var query = ListQuery.Parse(Fields, request.PageSize, request.PageToken, request.Filter, request.OrderBy, "createTime").OrThrow();
        var rows = await unitOfWork.Read(context.Caller().WorkspaceId, async tx =>
        {
            var keys = (await tx.Connection.QueryAsync<Keyed>(new CommandDefinition(
                $"select e.id, {query.PageKey} from email e where {query.Where} order by {query.OrderBy} limit {query.Limit}",
                query.Parameters,
                cancellationToken: tx.CancellationToken))).AsList();
            var ids = keys.ConvertAll(key => key.Id);
            var emails = await tx.Db.Emails.Where(email => email.WorkspaceId == tx.WorkspaceId && ids.Contains(email.Id))
                .ToDictionaryAsync(email => email.Id, tx.CancellationToken);
            return keys.ConvertAll(key => (Email: emails[key.Id], key.PageKey));
        }, context.CancellationToken);
        var (page, next) = query.Page(rows, row => row.PageKey);
        return new() { Emails = { page.Select(row => ToProto(row.Email)) }, NextPageToken = next };
    }

    public override async Task<Email> UpdateEmail(UpdateEmailRequest request, ServerCallContext context)
    {
        var id = Requests.Id(request.Id);
        return (await unitOfWork.RunIdempotent(context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
        {
            if (!(await Find(tx, id)).TryGet(out var row, out var missing))
            {
                return missing;
            }

            row.DisplayName = request.HasDisplayName ? request.DisplayName : row.DisplayName;
            row.Subject = request.HasSubject ? request.Subject : row.Subject;
            row.Html = request.HasHtml ? request.Html : row.Html;
            row.Text = request.HasText ? request.Text : row.Text;
            row.FromName = request.HasFromName ? request.FromName : row.FromName;
            row.FromAddress = request.HasFromAddress ? request.FromAddress : row.FromAddress;
            row.ReplyTo = request.HasReplyTo ? request.ReplyTo : row.ReplyTo;
            if (EmailRules.Check(row, renderer).ToError() is { } error)
            {
                return error;
            }

            (row.Version, row.UpdateTime) = (row.Version + 1, tx.Now);
            return (Result<Email>)ToProto(row);
        }, context.CancellationToken)).OrThrow();
    }

    public override async Task<Empty> DeleteEmail(DeleteEmailRequest request, ServerCallContext context)
    {
        var id = Requests.Id(request.Id);
        return (await unitOfWork.RunIdempotent<Empty>(context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx =>
        {
            if (!(await Find(tx, id)).TryGet(out var row, out var missing))
            {
                return missing;
            }

            var programs = await tx.Db.Programs.AsNoTracking().Where(program => program.WorkspaceId == tx.WorkspaceId)
                .ToListAsync(tx.CancellationToken);
            if (programs.Find(program => ProgramStore.Parse(program.Path).Sends(id)) is { } program)
            {
                return Error.Precondition($"The program {program.DisplayName} sends this e-mail.");
            }

            tx.Db.Emails.Remove(row);
            return new Empty();
        }, context.CancellationToken)).OrThrow();
    }

    public override async Task<PreviewEmailResponse> PreviewEmail(PreviewEmailRequest request, ServerCallContext context)
    {
        var mail = (await unitOfWork.Read(
            context.Caller().WorkspaceId,
            tx => Render(tx, request.Id, request.LeadId, renderer, links),
            context.CancellationToken)).OrThrow().Mail;
        return new() { Subject = mail.Subject, Html = mail.Html, Text = mail.Text };
    }

    public override Task<LintEmailResponse> LintEmail(LintEmailRequest request, ServerCallContext context) => lints.Lint(request, context);

    public override Task<SendTestEmailResponse> SendTestEmail(SendTestEmailRequest request, ServerCallContext context) =>
        testMails.Send(request, context);

    public override Task<ListLeadEmailsResponse> ListLeadEmails(ListLeadEmailsRequest request, ServerCallContext context) =>
        ListLeadEmailsHandler.List(unitOfWork, request, context);

    /// <summary>The template filled with a lead's values, or with examples.</summary>
    internal static async Task<Result<(EmailRow Email, RenderedMail Mail)>> Render(
        Transaction<NurtureDbContext> tx, string emailId, string leadId, MailRenderer renderer, MailLinks links)
    {
        var violations = new Violations();
        var lead = Guid.Empty;
        _ = violations.RequireId(emailId, "id", out var id) & (leadId.Length == 0 || violations.RequireId(leadId, "leadId", out lead));
        if (violations.ToError() is { } error)
        {
            return error;
        }

        var found = leadId.Length == 0 ? null : await LeadStore.Find(tx, lead);
        if (leadId.Length > 0 && found is not { ProfileVersion: > 0 })
        {
            return Error.NotFound("Lead", leadId);
        }

        var email = await Find(tx, id);
        if (!email.Succeeded)
        {
            return email.Error;
        }

        return renderer.Render(email.Value, found is null ? null : LeadStore.Facts(found), links.SampleUnsubscribeUrl)
            .Map(mail => (email.Value, mail));
    }

    internal static async Task<Result<EmailRow>> Find(Transaction<NurtureDbContext> tx, Guid id) =>
        await tx.Db.Emails.FirstOrDefaultAsync(
            email => email.WorkspaceId == tx.WorkspaceId && email.Id == id, tx.CancellationToken) is { } row
            ? row
            : Error.NotFound("Email", id);

    private static Email ToProto(EmailRow row) => new()
    {
        Id = row.Id.ToString(),
        DisplayName = row.DisplayName,
        Subject = row.Subject,
        Html = row.Html,
        Text = row.Text,
        FromName = row.FromName,
        FromAddress = row.FromAddress,
        ReplyTo = row.ReplyTo,
        CreateTime = row.CreateTime.ToTimestamp(),
        UpdateTime = row.UpdateTime.ToTimestamp(),
    };

    private sealed class Keyed
    {
        public Guid Id { get; init; }

        public string[] PageKey { get; init; } = [];
    }
}
