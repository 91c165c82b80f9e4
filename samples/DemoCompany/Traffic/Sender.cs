using System.Text.Json.Nodes;
using System.Threading.Channels;
using DemoCompany.Market;

namespace DemoCompany.Traffic;

/// <summary>What was sent.</summary>
/// <param name="People">Visitors who became known.</param>
/// <param name="SpendCsv">What their visits cost.</param>
internal sealed record Sent(IReadOnlyList<Person> People, string SpendCsv, long Messages, long Duplicates);

/// <summary>
/// Sends all visitors in batches over several connections. A visitor's messages go in one batch, so that they arrive in order; of batches
/// only a few wait at a time, whatever the number of visitors.
/// </summary>
internal sealed class Sender(Gateway gateway, Plan plan, int connections, Progress progress)
{
    private const int BatchSize = 100;

    private readonly Channel<(byte[] Body, int Messages)> batches =
        Channel.CreateBounded<(byte[] Body, int Messages)>(new BoundedChannelOptions(connections * 2) { SingleWriter = true });

    private readonly List<Person> people = [];
    private readonly Visitors visitors = new(plan);
    private long sent;
    private long duplicates;
    private int visitorsMade;

    public async Task<Sent> Run(CancellationToken ct)
    {
        using var fault = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var work = Enumerable.Range(0, connections).Select(_ => Task.Run(() => Post(fault.Token), fault.Token))
            .Append(Task.Run(() => Produce(fault.Token), fault.Token)).ToList();
        var began = progress.Elapsed;
        while (work.Count > 0)
        {
            var ended = await Task.WhenAny(work);
            work.Remove(ended);
            if (!ended.IsCompletedSuccessfully)
            {
                await fault.CancelAsync();
                await Task.WhenAll(work)
                    .ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }

            await ended;
        }

        progress.Say($"{Told(began)}, {duplicates:N0} of them known already");
        return new(people, visitors.Spend.Csv(), sent, duplicates);
    }

    private async Task Produce(CancellationToken ct)
    {
        var batch = new List<Message>(BatchSize);
        for (var index = 0; index < plan.Visitors; index++)
        {
            var visitor = visitors.Make(index);
            if (visitor.Person is { } person)
            {
                people.Add(person);
            }

            foreach (var part in visitor.Messages.Chunk(BatchSize))
            {
                if (batch.Count + part.Length > BatchSize)
                {
                    await Hand(batch, ct);
                }

                batch.AddRange(part);
            }

            visitorsMade = index + 1;
        }

        await Hand(batch, ct);
        batches.Writer.Complete();
    }

    private async Task Hand(List<Message> batch, CancellationToken ct)
    {
        if (batch.Count > 0)
        {
            await batches.Writer.WriteAsync((Message.Batch(batch), batch.Count), ct);
            batch.Clear();
        }
    }

    private async Task Post(CancellationToken ct)
    {
        var began = progress.Elapsed;
        await foreach (var (body, messages) in batches.Reader.ReadAllAsync(ct))
        {
            var answer = await gateway.Ingest(body, ct);
            if (answer["rejected"] is JsonArray { Count: > 0 } rejected)
            {
                throw new GatewayException($"The gateway refused a message: {rejected[0]!.ToJsonString()}.");
            }

            Interlocked.Add(ref duplicates, (long)answer.Number("duplicates"));
            Interlocked.Add(ref sent, messages);
            progress.Tick(() => Told(began));
        }
    }

    private string Told(TimeSpan began)
    {
        var seconds = Math.Max((progress.Elapsed - began).TotalSeconds, 0.001);
        var messages = Interlocked.Read(ref sent);
        return $"{visitorsMade,7:N0} of {plan.Visitors:N0} visitors, {messages,8:N0} messages, {messages / seconds:N0} messages/s";
    }
}
