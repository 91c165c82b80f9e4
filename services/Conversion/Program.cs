using Lifecycle.Conversion;
using Lifecycle.Conversion.Storage;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Lifecycle.ServiceDefaults;

var builder = WebApplication.CreateSlimBuilder(args);
if (await Migrations.RunIfAsked<ConversionDbContext>(args, builder.Configuration, "conversion"))
{
    return;
}

builder.AddServiceDefaults("conversion");
builder.AddLifecycleDatabase<ConversionDbContext>("conversion");
builder.AddLifecycleBus("conversion", ServiceSetup.Consume);
builder.AddLifecycleRpc();
builder.AddConversion();
var app = builder.Build();
app.MapDefaultEndpoints();
app.UseLifecycleRpc();
app.MapConversion();
app.Run();
