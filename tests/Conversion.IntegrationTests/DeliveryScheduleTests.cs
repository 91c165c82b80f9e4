using System.Net;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;
using Lifecycle.Testing;
using Lifecycle.Webhooks;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Lifecycle.Conversion.IntegrationTests;

/// <summary>Deliveries over days, by a clock that is moved by hand.</summary>
public sealed class DeliveryScheduleTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly Guid workspace = Guid.CreateVersion7();
    private readonly ManualTimeProvider clock = new(Start);
    private readonly List<TimeSpan> attempts = [];
    private readonly List<string> ids = [];
    private readonly List<Guid> disabled = [];
    private TestDatabase database = null!;
    private UnitOfWork<ConversionDbContext> work = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.Create<ConversionDbContext>("conversion");
        work = database.UnitOfWork<ConversionDbContext>(clock);
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task Delivery_NobodyAnswersForDays_IsTriedTenTimesAndThenFails()
    {
        var id = await Add();
        var dispatcher = Dispatcher(() => new(HttpStatusCode.InternalServerError));
        await Run(dispatcher, id);

        Assert.Equal(
            ["00:00:00", "00:00:05", "00:05:05", "00:35:05", "02:35:05", "07:35:05", "17:35:05", "1.07:35:05", "2.03:35:05", "3.03:35:05"],
            attempts.Select(time => time.ToString()));
        Assert.Single(ids.Distinct());
        var row = await Read(id);
        Assert.Equal((WebhookDeliveryRow.Failed, 10, null), (row.State, row.Attempts, row.DueTime));

        await work.Run<WebhookDeliveryRow>(workspace, tx => WebhookDeliveries.Replay(tx, row.EndpointId, id), CancellationToken.None);
        await Dispatcher(() => new(HttpStatusCode.OK)).Handle(workspace, CancellationToken.None);
        Assert.Equal((WebhookDeliveryRow.Delivered, 1), ((await Read(id)).State, (await Read(id)).Attempts));
        Assert.Equal(11L, await database.Scalar<long>("select count(*) from webhook_attempt where delivery_id = $1", id));
        Assert.Single(ids.Distinct());
    }

    [Fact]
    public async Task Delivery_ReceiverAsksForPatience_IsGrantedIt()
    {
        var id = await Add();
        var dispatcher = Dispatcher(() =>
        {
            var answer = new HttpResponseMessage(attempts.Count == 1 ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.Accepted);
            answer.Headers.RetryAfter = new(TimeSpan.FromMinutes(7));
            return answer;
        });
        await Run(dispatcher, id);

        Assert.Equal(["00:00:00", "00:07:00"], attempts.Select(time => time.ToString()));
    }

    [Fact]
    public async Task Delivery_SenderDiesOnTheWay_IsSentAgainByAnother()
    {
        var id = await Add();
        using var dying = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Dispatcher(() =>
        {
            dying.Cancel();
            throw new OperationCanceledException(dying.Token);
        }).Handle(workspace, dying.Token));
        Assert.Equal(WebhookDeliveryRow.Pending, (await Read(id)).State);

        var another = Dispatcher(() => new(HttpStatusCode.OK));
        await another.Handle(workspace, CancellationToken.None);
        Assert.Single(attempts);
        await Run(another, id);
        Assert.Equal((WebhookDeliveryRow.Delivered, 2), ((await Read(id)).State, attempts.Count));
    }

    [Fact]
    public async Task Deliveries_TwoDispatchersAtOnce_SendEachOnce()
    {
        for (var index = 0; index < 120; index++)
        {
            await Add();
        }

        var both = new[] { Dispatcher(() => new(HttpStatusCode.OK)), Dispatcher(() => new(HttpStatusCode.Gone)) };
        await Task.WhenAll(both.Select(dispatcher => Task.Run(() => dispatcher.Handle(workspace, CancellationToken.None))));

        Assert.Equal((120, 120), (ids.Count, ids.Distinct().Count()));
        Assert.Equal(
            120L - disabled.Count, await database.Scalar<long>("select count(*) from webhook_delivery where state = 'DELIVERED'"));
        Assert.Equal(disabled.Count, (int)await database.Scalar<long>("select count(*) from webhook_delivery where state = 'CANCELLED'"));
    }

    /// <summary>Sends whenever something is due, until nothing is.</summary>
    private async Task Run(WebhookDispatcher<ConversionDbContext> dispatcher, Guid id)
    {
        await dispatcher.Handle(workspace, CancellationToken.None);
        while ((await Read(id)).DueTime is { } due)
        {
            clock.Advance(due - clock.GetUtcNow());
            await dispatcher.Handle(workspace, CancellationToken.None);
        }
    }

    private WebhookDispatcher<ConversionDbContext> Dispatcher(Func<HttpResponseMessage> answer) => new(
        work,
        new WebhookSender(new HttpClient(new Receiver(this, answer)), clock),
        new(
            (_, _) => Task.FromResult<WebhookTarget?>(new(new Uri("https://receiver.example/"), [WebhookSecret.New()])),
            (_, endpoint) =>
            {
                lock (disabled)
                {
                    disabled.Add(endpoint);
                }

                return Task.CompletedTask;
            }),
        Options.Create(new WebhookOptions()),
        NullLogger<WebhookDispatcher<ConversionDbContext>>.Instance);

    private async Task<Guid> Add()
    {
        var id = Guid.Empty;
        await work.Run(workspace, tx =>
        {
            id = WebhookDeliveries.Add(tx, Guid.CreateVersion7(), "test", "{}", null).Id;
            return Task.CompletedTask;
        }, CancellationToken.None);
        return id;
    }

    private Task<WebhookDeliveryRow> Read(Guid id) =>
        work.Read(workspace, tx => tx.Db.Set<WebhookDeliveryRow>().SingleAsync(row => row.Id == id), CancellationToken.None);

    private sealed class Receiver(DeliveryScheduleTests test, Func<HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            lock (test.attempts)
            {
                test.attempts.Add(test.clock.GetUtcNow() - Start);
                test.ids.Add(request.Headers.GetValues("webhook-id").Single());
            }

            return Task.FromResult(answer());
        }
    }
}
