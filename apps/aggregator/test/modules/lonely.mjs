import "@nobody/knows-this";
