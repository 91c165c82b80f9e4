using Lifecycle.Postgres;
using Lifecycle.Retention;
using Lifecycle.Retention.Storage;
using Lifecycle.Rpc;
using Lifecycle.ServiceDefaults;

var builder = WebApplication.CreateSlimBuilder(args);
if (await Migrations.RunIfAsked<RetentionDbContext>(args, builder.Configuration, RetentionDbContext.SchemaName))
{
    return;
}

builder.AddServiceDefaults("retention");
builder.AddLifecycleDatabase<RetentionDbContext>(RetentionDbContext.SchemaName);
builder.AddLifecycleBus("retention", RetentionSetup.Consume);
builder.AddLifecycleRpc();
builder.AddRetention();
var app = builder.Build();
app.MapDefaultEndpoints();
app.UseLifecycleRpc();
app.MapRetention();
app.Run();
