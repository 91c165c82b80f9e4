using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Capture.Features.ManageChannels;
using Lifecycle.Kernel;
using Microsoft.Extensions.Options;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>Checks messages, each by itself, and hands the sound ones to the queue.</summary>
internal sealed class Ingest(
    IngestQueue queue, IngestRoom room, MessageReader reader, ChannelsCache channels, CallSources calls, BotNetworks networks,
    IOptions<CaptureOptions> options, TimeProvider time, ILogger<Ingest> logger)
{
    public BotNetworks Networks => networks;

    public CaptureOptions Options => options.Value;

    public IngestRoom Room => room;

    public DateTimeOffset Now => time.GetUtcNow();

    public ILogger Logger => logger;

    /// <summary>
    /// Takes a batch, or one message when <paramref name="type"/> is given. The faults of a batch's messages are told in the answer; those
    /// of a single message, and of the envelope, are the error.
    /// </summary>
    /// <param name="workspaceId">The caller's workspace.</param>
    /// <param name="body">The request.</param>
    /// <param name="type">Type that the path names.</param>
    /// <param name="userAgent">User agent of the browser that sent it itself; null when a message's context says it.</param>
    /// <param name="senderBot">Name of the robot that the request's headers show its sender to be.</param>
    public async Task<Result<IngestAnswer>> Take(
        Guid workspaceId, JsonElement body, string? type, string? userAgent, string? senderBot = null)
    {
        SourceReader sources;
        try
        {
            sources = await channels.Get(workspaceId);
        }
        catch (DbException exception) when (exception.IsTransient)
        {
            return IngestQueue.OutOfReach;
        }

        if (!ReadEnvelope(body, type, userAgent, sources, senderBot).TryGet(out var envelope, out var fault))
        {
            return fault;
        }

        var messages = type is null ? body.GetProperty("batch") : default;
        var count = type is null ? messages.GetArrayLength() : 1;
        var accepted = new List<IngestMessage>(count);
        var rejected = new List<RejectedMessageAnswer>();
        for (var (index, next) = (0, type is null ? messages.EnumerateArray() : default); index < count; index++)
        {
            // Each step from message to message; a look by index begins at the first.
            next.MoveNext();
            if (reader.Read(type is null ? next.Current : body, envelope, index).TryGet(out var message, out var error))
            {
                accepted.Add(message);
            }
            else if (type is not null)
            {
                return error;
            }
            else
            {
                rejected.Add(new(index, error.Violations.Select(violation => violation.Message).ToArray()));
            }
        }

        if (!(await calls.Attribute(workspaceId, accepted)).TryGet(out var attributed, out var outage))
        {
            return outage;
        }

        if (!(await queue.Take(workspaceId, attributed)).TryGet(out var outcome, out var refusal))
        {
            return refusal;
        }

        CaptureTelemetry.Messages.Add(outcome.Accepted, new KeyValuePair<string, object?>("outcome", "accepted"));
        CaptureTelemetry.Messages.Add(outcome.Duplicates, new KeyValuePair<string, object?>("outcome", "duplicate"));
        CaptureTelemetry.Messages.Add(rejected.Count, new KeyValuePair<string, object?>("outcome", "rejected"));
        return new IngestAnswer(outcome.Accepted, outcome.Duplicates, rejected);
    }

    private Result<Envelope> ReadEnvelope(JsonElement body, string? type, string? userAgent, SourceReader sources, string? senderBot)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            return Error.Invalid("body", "The body must be a JSON object.");
        }

        var violations = new Violations();
        DateTimeOffset? sentAt = null;
        if (body.TryGetProperty("sentAt", out var sent) && sent.ValueKind != JsonValueKind.Null)
        {
            violations.Require(
                MessageReader.TryTime(sent, out var at), "sentAt", "sentAt must be an ISO 8601 time such as 2026-03-31T09:30:00Z.");
            sentAt = at;
        }

        if (type is null
            && violations.Require(
                body.TryGetProperty("batch", out var batch) && batch.ValueKind == JsonValueKind.Array, "batch",
                "batch must be an array of messages."))
        {
            violations.Require(
                batch.GetArrayLength() <= Options.MaxBatchMessages, "batch",
                $"batch has {batch.GetArrayLength()} messages; at most {Options.MaxBatchMessages} are accepted.");
        }

        return violations.ToError() is { } error ? error : new Envelope(Now, sentAt, type, userAgent, sources, senderBot, networks);
    }
}

/// <summary>What became of the messages.</summary>
internal sealed record IngestAnswer(int Accepted, int Duplicates, IReadOnlyList<RejectedMessageAnswer> Rejected);

/// <summary>A message refused.</summary>
/// <param name="Index">Position in the batch, from 0.</param>
/// <param name="Errors">Every fault.</param>
internal sealed record RejectedMessageAnswer(int Index, IReadOnlyList<string> Errors);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IngestAnswer))]
internal sealed partial class IngestJson : JsonSerializerContext;
