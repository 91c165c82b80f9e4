using Grpc.Core;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Features.RenderEmail;
using Lifecycle.Nurture.Features.SendMails;
using Lifecycle.Nurture.Mail;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

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
    MailRoutes routes)
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
        var route = await routes.Find(tx);
        var (fromName, fromAddress, replyTo) = routes.Sender(route, email);
        var content = new MailContent(
            links.MessageId(tx.NewId()), fromAddress, fromName, to, replyTo, $"[Test] {mail.Subject}", mail.Html, mail.Text, null)
        {
            BounceAddress = route.Settings.BounceAddress.Length == 0 ? null : route.Settings.BounceAddress,
            Signer = route.SignerOf(fromAddress),
        };
        var result = await transport.Send(content, route.Relay, tx.CancellationToken);
        return result.Outcome switch
        {
            SendOutcome.Accepted => new SendTestEmailResponse { MessageId = content.MessageId },
            SendOutcome.Deferred => Error.Unavailable(result.Detail),
            _ => Error.Precondition($"The mail server refuses the mail: {result.Detail}"),
        };
    }
}
