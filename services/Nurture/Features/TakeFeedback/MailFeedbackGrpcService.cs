using System.Text;
using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Features.JudgeSegments;
using Lifecycle.Nurture.Storage;
using Lifecycle.Nurture.V1;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Nurture.Features.TakeFeedback;

/// <summary>Bounces and complaints over gRPC and REST.</summary>
internal sealed class MailFeedbackGrpcService(UnitOfWork<NurtureDbContext> unitOfWork, JudgeLeadHandler segments, TimeProvider time)
    : MailFeedbackService.MailFeedbackServiceBase
{
    private const int MaxEvents = 1000;

    /// <summary>Reports carry the mail they are about, which may be large; what of it lies behind this is not needed.</summary>
    private const int MaxMail = 2 * 1024 * 1024;

    public override async Task<MailFeedbackResponse> ReceiveMailReport(
        IAsyncStreamReader<ImportChunk> requestStream, ServerCallContext context)
    {
        var mail = new StringBuilder();
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            // Latin-1 keeps each byte as one letter, whatever the parts' own encodings are.
            var chunk = requestStream.Current.Data.Span;
            mail.Append(Encoding.Latin1.GetString(chunk[..Math.Min(chunk.Length, MaxMail - mail.Length)]));
        }

        if (MailReport.Read(mail.ToString()) is not { } report)
        {
            return new() { Kind = MailFeedbackResponse.Types.Kind.Other };
        }

        var messageId = TakeFeedbackHandler.IdOf(report.MessageId);
        var now = time.GetUtcNow();
        var feedback = report.Recipients
            .Select(one => new Feedback(one.Kind, messageId, one.Address, one.Status, one.Detail, now)).ToList();
        var response = (await unitOfWork.Run<MailFeedbackResponse>(
            context.Caller().WorkspaceId, async tx => await Take(tx, feedback), context.CancellationToken)).OrThrow();
        response.Kind = report.Recipients[0].Kind switch
        {
            FeedbackKind.Complaint => MailFeedbackResponse.Types.Kind.Complaint,
            FeedbackKind.Reply => MailFeedbackResponse.Types.Kind.Reply,
            _ => MailFeedbackResponse.Types.Kind.Bounce,
        };
        return response;
    }

    public override async Task<MailFeedbackResponse> ReportMailFeedback(ReportMailFeedbackRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.Require(request.Events.Count is > 0 and <= MaxEvents, "events", $"events must be 1 to {MaxEvents}.");
        foreach (var (index, told) in request.Events.Take(MaxEvents).Index())
        {
            var field = $"events[{index}]";
            violations.Require(
                Enum.IsDefined((FeedbackKind)(int)told.Kind), $"{field}.kind",
                "kind must be HARD_BOUNCE, SOFT_BOUNCE, COMPLAINT or REPLY.");
            violations.Require(told.MessageId.Length + told.Email.Length > 0, $"{field}.messageId", "messageId or email is required.");
            violations.Require(
                told.Email.Length == 0 || EmailAddress.Normalize(told.Email) is not null, $"{field}.email",
                "email must be an address such as ada@example.com.");
            violations.Require(told.Status.Length <= 20, $"{field}.status", "status has at most 20 characters.");
            violations.Require(
                told.Detail.Length <= MailReport.MaxDetail, $"{field}.detail", $"detail has at most {MailReport.MaxDetail} characters.");
        }

        violations.OrThrow();
        var now = time.GetUtcNow();
        var feedback = request.Events.Select(told => new Feedback(
            (FeedbackKind)(int)told.Kind,
            TakeFeedbackHandler.IdOf(told.MessageId),
            EmailAddress.Normalize(told.Email),
            told.Status,
            told.Detail,
            told.Time?.ToDateTimeOffset() is { } at && at <= now ? at : now)).ToList();
        return (await unitOfWork.RunIdempotent<MailFeedbackResponse>(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request, async tx => await Take(tx, feedback),
            context.CancellationToken))
            .OrThrow();
    }

    private async Task<MailFeedbackResponse> Take(Transaction<NurtureDbContext> tx, List<Feedback> feedback)
    {
        var results = new MailFeedbackResponse.Types.Result[feedback.Count];
        var marked = new List<Guid>();
        // Mails are locked in order of their ids, so that two calls never wait for each other.
        foreach (var (index, one) in feedback.Index().OrderBy(one => one.Item.MessageId)
            .ThenBy(one => one.Item.Email, StringComparer.Ordinal))
        {
            var result = await TakeFeedbackHandler.Take(tx, one);
            marked.AddRange(result.MarkedLead is { } lead ? [lead] : []);
            results[index] = new()
            {
                Kind = (MailFeedback.Types.Kind)(int)one.Kind,
                LeadEmailId = result.MessageId?.ToString() ?? "",
                Email = result.Email ?? "",
                Status = one.Status,
                Applied = result.IsApplied,
                Suppressed = result.IsSuppressed,
            };
        }

        // A bounce, a complaint or an answer is no opening or click, but segments may count each.
        await segments.MailChanged(tx, false, marked);
        return new() { Results = { results } };
    }
}
