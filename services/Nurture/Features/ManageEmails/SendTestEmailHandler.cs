using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Features.RenderEmail;
using Lifecycle.Nurture.Mail;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Features.ManageEmails;

/// <summary>
/// Sends a template once, for the eyes of its author. The mail goes out before the answer is kept: a crash between the two lets a
/// repetition send it again.
/// </summary>
internal sealed class SendTestEmailHandler(
    UnitOfWork<NurtureDbContext> unitOfWork,
    MailRenderer renderer,
    MailLinks links,
    MailTransport transport,
    IOptions<NurtureOptions> options)
{
    public async Task<SendTestEmailResponse> Send(SendTestEmailRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out _);
        var to = EmailAddress.Normalize(request.To);
        violations.Require(to is not null, "to", "to must be an address such as ada@example.com.");
        violations.OrThrow();
        return (await unitOfWork.RunIdempotent(
            context.Caller().WorkspaceId,
            context.Method,
            request.RequestId,
            request,
            tx => Send(tx, request, to!),
            context.CancellationToken)).OrThrow();
    }

    private async Task<Result<SendTestEmailResponse>> Send(Transaction<NurtureDbContext> tx, SendTestEmailRequest request, string to)
    {
        if (!(await EmailGrpcService.Render(tx, request.Id, request.LeadId, renderer, links)).TryGet(out var rendered, out var error))
        {
            return error;
        }

        var (email, mail) = rendered;
        var content = new MailContent(
            links.MessageId(tx.NewId()),
            email.FromAddress.Length == 0 ? options.Value.FromAddress : email.FromAddress,
            email.FromName,
            to,
            email.ReplyTo.Length == 0 ? null : email.ReplyTo,
            $"[Test] {mail.Subject}",
            mail.Html,
            mail.Text,
            null);
        var result = await transport.Send(content, tx.CancellationToken);
        return result.Outcome switch
        {
            SendOutcome.Accepted => new SendTestEmailResponse { MessageId = content.MessageId },
            SendOutcome.Deferred => Error.Unavailable(result.Detail),
            _ => Error.Precondition($"The mail server refuses the mail: {result.Detail}"),
        };
    }
}
