using System.Diagnostics;
using Lifecycle.Capture.Domain.Messages;

namespace Lifecycle.Capture.Features.IngestMessages;

/// <summary>Messages of one request that passed every check, waiting for the commit.</summary>
/// <param name="WorkspaceId">The caller's workspace.</param>
/// <param name="Messages">At least one.</param>
/// <param name="Trace">Trace of the request: what follows from its messages belongs to it.</param>
internal sealed record IngestRequest(Guid WorkspaceId, IReadOnlyList<IngestMessage> Messages, ActivityContext Trace)
{
    private readonly TaskCompletionSource<IngestOutcome> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Keys of the messages, in their order (see <see cref="MessageReader.Key"/>): made by the request's own task, not by the writer.
    /// </summary>
    public IReadOnlyList<Guid> Keys { get; } = [.. Messages.Select(message => MessageReader.Key(WorkspaceId, message.MessageId))];

    /// <summary>Completes after the commit.</summary>
    public Task<IngestOutcome> Outcome => done.Task;

    public void Succeed(IngestOutcome outcome) => done.TrySetResult(outcome);

    public void Fail(Exception exception) => done.TrySetException(exception);
}

/// <summary>What became of a request's messages.</summary>
/// <param name="Accepted">Made durable now.</param>
/// <param name="Duplicates">Seen before.</param>
internal readonly record struct IngestOutcome(int Accepted, int Duplicates);
