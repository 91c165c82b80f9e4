using System.Diagnostics;
using Lifecycle.Contracts;
using Lifecycle.Postgres;
using Lifecycle.Postgres.Outbox;
using Lifecycle.ServiceDefaults;
using Lifecycle.Trial;
using Lifecycle.Trial.Storage;

// The smallest service of the suite's kind: tests run it as a process, and kill it.
var builder = WebApplication.CreateBuilder(args);
if (await Migrations.RunIfAsked<TrialDbContext>(args, builder.Configuration, "trial"))
{
    return;
}

builder.AddServiceDefaults("trial");
builder.AddLifecycleDatabase<TrialDbContext>("trial");
builder.AddLifecycleBus("trial", bus =>
{
    bus.Consume<LeadStageChangedConsumer, LeadStageChanged>();
    bus.Consume<LeadErasedConsumer, LeadErased>();
});
if (builder.Configuration.GetValue<KillPoint?>("Trial:KillAt") is { } point)
{
    var pass = builder.Configuration.GetValue("Trial:KillAtPass", 1);
    builder.Services.AddSingleton<Action<KillPoint>>(reached =>
    {
        if (reached == point && Interlocked.Decrement(ref pass) == 0)
        {
            Process.GetCurrentProcess().Kill();
        }
    });
}

var app = builder.Build();
app.MapDefaultEndpoints();
app.MapPost("/moves", Moves.Publish);
await app.RunAsync();
